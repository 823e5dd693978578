// @ts-check
/** A project. */
import { begin } from "../header.js";
import { projectPage } from "../components/project.js";

const { facts } = begin();
await projectPage(facts["project"] ?? "", null);
