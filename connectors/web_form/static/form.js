// Comfort on top of a form that works without it: files sent ahead, characters counted, a draft kept, one sending.
"use strict";
(() => {
  const DRAFT = "intake.complaint";
  const LINES = ["text", "subject", "name", "account", "email", "phone"];
  const form = document.getElementById("complaint");
  const text = form.elements.text;
  const chooser = document.getElementById("files");
  const box = document.getElementById("file-list");
  const list = box.querySelector("ul");
  const said = box.querySelector("[role=status]");
  const words = box.dataset;
  const button = form.querySelector("button[type=submit]");
  const buttonText = button.textContent;
  let files = [];
  let sending = Promise.resolve();
  let timer = 0;
  let isSent = false;

  // Files: each is sent ahead, and the form carries its token; what could not be sent ahead goes with the form.

  function readableSize(size) {
    const [value, unit] = size >= 1048576 ? [size / 1048576, "MB"] : [size && Math.max(1, Math.round(size / 1024)), "KB"];
    return `${value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${unit}`;
  }

  function part(parent, tag, className, content) {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = content;
    parent.append(element);
    return element;
  }

  function show(entry) {
    const row = document.createElement("li");
    part(row, "span", "name", entry.name);
    part(row, "span", "size", readableSize(entry.size));
    entry.state = part(row, "span", "size", "");
    const remove = part(row, "button", "quiet small", words.remove);
    remove.type = "button";
    remove.setAttribute("aria-label", words.removeNamed.replace("{name}", () => entry.name));
    remove.addEventListener("click", () => drop(entry));
    entry.row = row;
    list.append(row);
    list.hidden = false;
  }

  function drop(entry) {
    entry.request?.abort();
    files = files.filter((other) => other !== entry);
    entry.row.remove();
    list.hidden = !list.children.length;
    chooser.focus();
    save();
  }

  function fail(entry, words) {
    files = files.filter((other) => other !== entry);
    entry.progress?.remove();
    entry.state.remove();
    part(entry.row, "span", "failed", words).setAttribute("role", "alert");
  }

  function carry(entry, token) {
    entry.token = token;
    entry.progress?.remove();
    entry.state.textContent = words.sent;
    said.textContent = `${entry.name}: ${words.sent}`;
    const field = part(entry.row, "input", "", "");
    Object.assign(field, { type: "hidden", name: "kept", value: token });
    save();
  }

  function add(file) {
    const entry = { name: file.name.slice(0, 300), size: file.size, file };
    show(entry);
    const total = files.reduce((sum, other) => sum + other.size, file.size);
    files.push(entry);
    if (file.size > Number(words.one)) return fail(entry, words.tooLarge);
    if (files.length > Number(words.count)) return fail(entry, words.tooMany);
    if (total > Number(words.total)) return fail(entry, words.tooMuch);
    entry.state.textContent = words.sending;
    entry.progress = part(entry.row, "progress", "", "");
    entry.progress.max = 1;
    entry.progress.value = 0;
    entry.progress.setAttribute("aria-label", `${entry.name}: ${words.sending}`);
    sending = sending.then(() => send(entry));
  }

  function send(entry) {
    if (!files.includes(entry)) return undefined;
    return new Promise((done) => {
      const request = (entry.request = new XMLHttpRequest());
      request.open("POST", words.path);
      request.setRequestHeader("Content-Type", entry.file.type || "application/octet-stream");
      request.setRequestHeader("X-File-Name", encodeURIComponent(entry.name.toWellFormed?.() ?? entry.name));
      request.responseType = "json";
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) entry.progress.value = event.loaded / event.total;
      };
      request.onloadend = () => {
        if (request.status === 201 && request.response?.token) carry(entry, request.response.token);
        else if (request.status === 413) fail(entry, words.tooLarge);
        else if (files.includes(entry)) later(entry);
        done();
      };
      request.send(entry.file);
    });
  }

  function later(entry) {
    entry.progress.remove();
    entry.state.textContent = words.withForm;
  }

  function attach() {
    const waiting = new DataTransfer();
    for (const entry of files) if (!entry.token) waiting.items.add(entry.file);
    chooser.files = waiting.files;
  }

  function adopt(name, size, token) {
    const entry = { name, size };
    show(entry);
    files.push(entry);
    carry(entry, token);
  }

  for (const row of [...list.children]) {
    const token = row.querySelector("input").value;
    row.remove();
    adopt(row.querySelector(".name").textContent, Number(row.dataset.size), token);
  }
  document.getElementById("kept-hint")?.remove();
  chooser.addEventListener("change", () => {
    const chosen = [...chooser.files];
    chooser.value = "";
    chosen.forEach(add);
  });
  text.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files];
    if (!pasted.length) return;
    event.preventDefault();
    pasted.forEach(add);
  });

  // Characters: said only when they run short.

  const count = document.getElementById("text-count");

  function recount() {
    const limit = Number(text.dataset.limit);
    const left = limit - (text.value.length > limit * 0.8 ? [...text.value].length : text.value.length);
    count.hidden = left > limit * 0.2;
    count.classList.toggle("error", left < 0);
    const template = left < 0 ? text.dataset.over : text.dataset.left;
    count.textContent = template.replace("{count}", Math.abs(left).toLocaleString(document.documentElement.lang));
  }

  // Draft: kept in this tab until the complaint is registered. With its id, so that a sending whose answer was
  // lost is not registered twice.

  function save() {
    clearTimeout(timer);
    const draft = { id: form.elements.id.value, category: form.elements.category.value };
    for (const name of LINES) if (form.elements[name]) draft[name] = form.elements[name].value;
    draft.files = files.filter((e) => e.token).map(({ name, size, token }) => ({ name, size, token }));
    try {
      sessionStorage.setItem(DRAFT, JSON.stringify(draft));
    } catch {
      // storage is full or switched off: the form works without a draft
    }
  }

  function restore() {
    let draft = null;
    try {
      draft = JSON.parse(sessionStorage.getItem(DRAFT));
    } catch {
      return;
    }
    if (!draft || !form.dataset.fresh || text.value) return;
    form.elements.id.value = draft.id;
    form.elements.category.value = draft.category;
    for (const name of LINES) if (draft[name] && form.elements[name]) form.elements[name].value = draft[name];
    for (const { name, size, token } of draft.files) adopt(name, size, token);
  }

  // One sending: the button answers once, and waits for files under way.

  function label(words) {
    button.textContent = words;
    button.setAttribute("aria-disabled", String(words !== buttonText));
  }

  form.addEventListener("submit", (event) => {
    if (isSent) return event.preventDefault();
    isSent = true;
    if (files.some((entry) => entry.progress?.isConnected)) {
      event.preventDefault();
      label(form.dataset.waiting);
      sending.then(() => {
        isSent = false;
        form.requestSubmit();
      });
      return undefined;
    }
    label(form.dataset.sending);
    save();
    attach();
    return undefined;
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    isSent = false;
    label(buttonText);
  });
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, 300);
  });
  addEventListener("pagehide", () => {
    if (timer && !isSent) save();
  });
  text.addEventListener("input", recount);
  restore();
  recount();
})();
