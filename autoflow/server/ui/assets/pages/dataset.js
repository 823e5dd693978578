// @ts-check
/** A dataset of a project. */
import { begin } from "../header.js";
import { projectPage } from "../components/project.js";

const { facts } = begin();
await projectPage(facts["project"] ?? "", facts["dataset"] ?? "");
