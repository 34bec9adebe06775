// The complaint is registered: forget its draft, and offer to copy the code.
"use strict";
(() => {
  try {
    sessionStorage.removeItem("intake.complaint");
  } catch {
    // storage is switched off; there is no draft then
  }
  const code = document.getElementById("code");
  const copy = document.getElementById("copy");
  if (!code || !navigator.clipboard) return;
  const label = copy.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent.trim());
    } catch {
      getSelection().selectAllChildren(code);
      return;
    }
    copy.textContent = document.getElementById("copied").textContent = copy.dataset.copied;
    setTimeout(() => {
      copy.textContent = label;
      document.getElementById("copied").textContent = "";
    }, 4000);
  });
})();
