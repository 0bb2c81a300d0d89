// Empties what scripts keep before the session ends, and tells the other tabs.
import { forget } from "../session.js";

export default function logOut(form) {
  const onSubmit = () => {
    forget();
    localStorage.setItem("ct.out", String(Date.now()));
    for (const key of Object.keys(localStorage)) if (key.startsWith("ct.") && key !== "ct.out") localStorage.removeItem(key);
    sessionStorage.clear();
  };
  form.addEventListener("submit", onSubmit);
  return () => form.removeEventListener("submit", onSubmit);
}
