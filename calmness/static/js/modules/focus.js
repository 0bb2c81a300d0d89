// Takes the focus when it appears: the summary above a refused form.
export default function focus(element) {
  element.focus();
}
