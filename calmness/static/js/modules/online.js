// Asks for the page again when the network is back: <div data-module="online">.
export default function online() {
  const again = () => location.reload();
  addEventListener("online", again);
  return () => removeEventListener("online", again);
}
