export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#3b4cca" />
        <path d="M8 13v6M13.3 9v14M18.7 12v8M24 14.5v3" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
      </svg>
      Earshot
    </span>
  );
}
