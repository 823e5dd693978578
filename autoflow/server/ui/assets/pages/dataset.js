// @ts-check
/** A dataset of a project. */

import { projectPage } from "../components/project-page.js";
import { initPage } from "../header.js";

const { facts } = initPage();
await projectPage(facts.project ?? "", facts.dataset ?? "");
