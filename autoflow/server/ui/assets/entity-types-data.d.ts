/** The type of the module that `autoflow.server.ui.entity_types` generates from the registry of entity types. */

export interface EntityType {
  /** the type on the wire and on cards */
  name: string;
  /** lower case, singular */
  label: string;
  plural: string;
  /** of the icon, hexadecimal */
  color: string;
  /** of the icon's tile, hexadecimal */
  background: string;
  /** an SVG path of lines on a field of 24 x 24 */
  drawing: string;
  /** the page's address of the graph around one, with `{id}`; empty for none */
  workflow: string;
  /** where its card leads unless the card has a link of its own, and that link's text */
  link: { path: string; title: string } | null;
}

/** In the order of the indices that `autoflow.scene` sends. */
export const ENTITY_TYPES: readonly EntityType[];

/** Drawings of icons that apps name, beside those of the types. */
export const DRAWINGS: Readonly<Record<string, string>>;
