// @ts-check
/** A project. */

import { projectPage } from "../components/project-page.js";
import { initPage } from "../header.js";

const { facts } = initPage();
await projectPage(facts.project ?? "", null);
