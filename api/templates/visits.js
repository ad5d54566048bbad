// The clinic's visits: observations are counted down.
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
