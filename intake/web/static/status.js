// A link of the form /status#CODE fills the field: what stands after # never leaves the browser.
"use strict";
(() => {
  const field = document.getElementById("code");
  const code = decodeURIComponent(location.hash.slice(1));
  if (!field || field.value || !/^[\p{L}\d -]{14,20}$/u.test(code)) return;
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
})();
