interface Props {
  bearerToken: string;
  /** What the last registration or log-in answered, or "". */
  issuedBearerToken: string;
  onChange: (bearerToken: string) => void;
  onForget: () => void;
}

/** Where the bearer token is pasted once; it lives in this page's memory and nowhere else. */
export function BearerTokenBar({ bearerToken, issuedBearerToken, onChange, onForget }: Props) {
  const offered = issuedBearerToken !== "" && issuedBearerToken !== bearerToken;
  return (
    <header className="bearer-token-bar graphiql-container">
      <label htmlFor="bearer-token">Bearer token</label>
      {/* Masked text, not a password field: a browser offers to save passwords, and "off" keeps it from session restore. */}
      <input
        id="bearer-token"
        type="text"
        className="masked"
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        placeholder="Paste it once, all tabs use it"
        aria-describedby="bearer-token-hint"
        value={bearerToken}
        onChange={(event) => onChange(event.target.value.trim())}
      />
      {bearerToken !== "" && (
        <button type="button" onClick={onForget}>
          Forget it
        </button>
      )}
      {offered && (
        <button type="button" className="offer" onClick={() => onChange(issuedBearerToken)}>
          Use the bearer token just shown
        </button>
      )}
      <span id="bearer-token-hint" role="status">
        {bearerToken === "" ? "Operations run anonymously" : "Sent with every operation, forgotten with this page"}
      </span>
    </header>
  );
}
