// @ts-check
/** A project. */

import { projectPage } from "../components/project-page.js";
import { begin } from "../header.js";

const { facts } = begin();
await projectPage(facts.project ?? "", null);
