// The clinic's visits: codes are scanned here, and observations counted down.
import { attach } from "/scan.js";

for (const clock of document.querySelectorAll("[data-until]")) {
  const until = Date.parse(clock.dataset.until);
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    const seconds = String(left % 60).padStart(2, "0");
    clock.textContent = left > 0 ? `${Math.floor(left / 60)}:${seconds}` : clock.dataset.over;
    clock.classList.toggle("good", left <= 0);
  };
  show();
  setInterval(show, 1000);
}

const form = document.querySelector("#open");
if (form) {
  const { noCamera, noCode } = document.querySelector("#trouble").dataset;
  const found = (text) => {
    form.querySelector("#code").value = text;
    form.requestSubmit();
  };
  await attach(found, { noCamera, noCode });
  document.body.dataset.ready = "yes";
}
