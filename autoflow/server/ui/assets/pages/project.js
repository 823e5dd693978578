// @ts-check
/** A project. */

import { projectPage } from "../components/project.js";
import { begin } from "../header.js";

const { facts } = begin();
await projectPage(facts.project ?? "", null);
