// A form that takes a code by camera, picture or reader, and sends itself once it has one.
import { attach } from "/scan.js";

const form = document.querySelector("#scanned");
if (form) {
  const { noCamera, noCode } = document.querySelector("#trouble").dataset;
  const found = (text) => {
    form.querySelector("#code").value = text;
    form.requestSubmit();
  };
  await attach(found, { noCamera, noCode });
  document.body.dataset.ready = "yes";
}
