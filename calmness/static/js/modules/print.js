// Prints the page.
export default function print(button) {
  const onClick = () => window.print();
  button.addEventListener("click", onClick);
  return () => button.removeEventListener("click", onClick);
}
