// @ts-check
/** A file dropped on a search box is searched by its content: by the sha256 of its bytes, which stay in the browser. */

const MAX_BYTES = 1_000_000_000; // are read at once

/**
 * Take files that are dropped on an input.
 * @param {HTMLInputElement} input
 * @param {(sha256: string) => void} onHash
 */
export function handleFileDrop(input, onHash) {
  input.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    input.classList.add("drop");
  });
  input.addEventListener("dragleave", () => input.classList.remove("drop"));
  input.addEventListener("drop", async (event) => {
    const file = event.dataTransfer?.files[0];
    input.classList.remove("drop");
    if (!file) return;
    event.preventDefault();
    const before = input.placeholder;
    const refuse = (/** @type {string} */ reason) => {
      input.value = "";
      input.placeholder = reason;
      setTimeout(() => {
        input.placeholder = before;
      }, 5000);
    };
    // browsers offer it to pages over HTTPS and of this machine only
    if (!globalThis.crypto?.subtle) return refuse("A file can be searched over HTTPS only");
    if (file.size > MAX_BYTES) return refuse("The file is larger than 1 GB");
    input.placeholder = `Reading ${file.name} …`;
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    input.placeholder = before;
    onHash([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    return undefined;
  });
}
