// The field in which one writes: Enter sends, Shift+Enter makes a line; on a touch screen Enter makes a line too.
// While an input method composes a character, Enter belongs to it.
const TOUCH = matchMedia("(pointer: coarse)");

export function composer(form, { key, onSend, onTyping, max = 4000 }) {
  const field = form.querySelector("textarea");
  const left = form.querySelector("[data-chat-left]");
  const draftKey = `ct.chat.draft.${key}`;
  field.value ||= sessionStorage.getItem(draftKey) ?? "";

  const count = () => {
    const over = [...field.value].length - max;
    if (left) {
      left.hidden = over < -200;
      left.textContent = String(-over);
    }
    return over <= 0;
  };
  const send = () => {
    const body = field.value.trim();
    if (!body || !count()) return field.focus();
    onSend(body);
    field.value = "";
    sessionStorage.removeItem(draftKey);
    onTyping(false);
    field.focus();
  };
  const onSubmit = (event) => {
    event.preventDefault();
    send();
  };
  const onKey = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || TOUCH.matches) return;
    event.preventDefault();
    send();
  };
  const onInput = () => {
    count();
    sessionStorage.setItem(draftKey, field.value);
    onTyping(field.value.trim() !== "");
  };
  const onBlur = () => onTyping(false);
  form.addEventListener("submit", onSubmit);
  field.addEventListener("keydown", onKey);
  field.addEventListener("input", onInput);
  field.addEventListener("blur", onBlur);
  return {
    field,
    insert(text) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    },
    stop() {
      form.removeEventListener("submit", onSubmit);
      field.removeEventListener("keydown", onKey);
      field.removeEventListener("input", onInput);
      field.removeEventListener("blur", onBlur);
    },
  };
}

// Shows who writes, for six seconds at most: the "stopped" of a closed laptop never comes.
export function typingLine(element, say) {
  let timer = 0;
  return (news) => {
    clearTimeout(timer);
    element.textContent = news.on ? say(news) : "";
    if (news.on) timer = setTimeout(() => (element.textContent = ""), 6_000);
  };
}

export function words(root) {
  return JSON.parse(root.querySelector("[data-chat-words]").textContent);
}
