// @ts-check
/** The notes on the selected card: the last one, the older ones on request, and a field to write another. */
import { call } from "../api.js";
import { announce, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { capitalize, errorMessage } from "../format.js";

/** @import { CardTexts, Note } from "../contract.js" */

const PAGE_SIZE = 20;
const MAX_LENGTH = 4000; // characters of a note

/** @type {{key: string, section: HTMLElement}} */
let last = { key: "", section: element("section") }; // of the card that is selected: panels are filled again

/**
 * Make the section of a card, which fills itself; clusters have none.
 * @param {CardTexts} card
 */
export function cardNotes(card) {
  if (card.members) return element("section", { hidden: true });
  if (last.key === card.key) return last.section;
  const list = element("ul", { class: "notes" });
  const older = element("button", { type: "button", class: "plain", hidden: true }, "Show older notes");
  const section = element(
    "section",
    { class: "card-notes" },
    element("h3", {}, "Notes"),
    list,
    older,
    noteForm(card, (note) => list.prepend(noteItem(note))),
  );
  last = { key: card.key, section };
  void fill(card, list, older).catch((error) => {
    list.replaceChildren(element("li", { class: "muted" }, capitalize(errorMessage(error))));
  });
  return section;
}

/**
 * Show the last note, and the others once they are asked for.
 * @param {CardTexts} card
 * @param {HTMLElement} list
 * @param {HTMLButtonElement} older
 */
async function fill(card, list, older) {
  const page = await call("autoflow.notes.list", { card: card.key, limit: PAGE_SIZE });
  let [waiting, next] = [page.notes.slice(1), page.next];
  list.append(...page.notes.slice(0, 1).map(noteItem));
  older.hidden = !waiting.length;
  older.addEventListener("click", async () => {
    list.append(...waiting.map(noteItem));
    const following = next === null ? null : await call("autoflow.notes.list", { card: card.key, before: next });
    [waiting, next] = [following?.notes ?? [], following?.next ?? null];
    older.hidden = !waiting.length;
  });
}

/** @param {Note} note */
function noteItem(note) {
  const by = element("span", { class: "muted" }, note.createdBy ?? "unknown", ", ", timeElement(note.createdAt));
  return element("li", {}, element("p", {}, note.text), by);
}

/**
 * @param {CardTexts} card
 * @param {(note: Note) => void} onAdded
 */
function noteForm(card, onAdded) {
  const field = element("textarea", { rows: 2, maxlength: MAX_LENGTH, "aria-label": "New note", required: true });
  const failure = element("p", { class: "notice bad", role: "alert", hidden: true });
  const send = element("button", { type: "submit" }, "Add note");
  const form = element("form", { class: "note-form" }, field, send, failure);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!field.value.trim()) return;
    send.disabled = true;
    failure.hidden = true;
    try {
      onAdded(await call("autoflow.notes.add", { card: card.key, text: field.value }));
      field.value = "";
      announce("Note added");
    } catch (error) {
      failure.textContent = capitalize(errorMessage(error));
      failure.hidden = false;
    }
    send.disabled = false;
  });
  return form;
}
