// stand-in
import { element } from "../parts/dom.js";
export class UploadPart {
  element = element("div", { hidden: true });
  constructor() {}
  async open() {}
  async resume() {}
}
