// @ts-check
/** A project. */
import { begin } from "../header.js";
import { projectPage } from "../things/project.js";

const { facts } = begin();
await projectPage(facts["project"] ?? "", null);
