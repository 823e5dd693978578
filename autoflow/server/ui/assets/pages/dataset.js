// @ts-check
/** A dataset of a project. */

import { projectPage } from "../components/project-page.js";
import { begin } from "../header.js";

const { facts } = begin();
await projectPage(facts.project ?? "", facts.dataset ?? "");
