import type { DemoPerson } from "./people";

interface Props {
  people: DemoPerson[];
  /** The demo person who runs the operations; undefined if that is a bearer token of one's own. */
  person: DemoPerson | undefined;
  bearerToken: string;
  /** What the last registration or log-in answered, or "". */
  issuedBearerToken: string;
  onChoose: (person: DemoPerson | undefined) => void;
  onChange: (bearerToken: string) => void;
  onForget: () => void;
}

const OWN = "own";

/** Who runs the operations of all tabs: a demo person, or a bearer token. It lives in this page's memory and nowhere else. */
export function CallerBar(props: Props) {
  const { people, person, bearerToken, issuedBearerToken, onChoose, onChange, onForget } = props;
  const offered = issuedBearerToken !== "" && issuedBearerToken !== bearerToken;
  return (
    <header className="caller-bar graphiql-container">
      {people.length > 0 && (
        <>
          <label htmlFor="caller">Run as</label>
          <select
            id="caller"
            aria-describedby="caller-hint"
            value={person?.role ?? OWN}
            onChange={({ target }) => onChoose(people.find(({ role }) => role === target.value))}
          >
            {people.map(({ name, role }) => (
              <option key={role} value={role}>
                {name} ({role.toLowerCase()})
              </option>
            ))}
            <option value={OWN}>another bearer token</option>
          </select>
        </>
      )}
      {person === undefined && (
        <>
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
            aria-describedby="caller-hint"
            value={bearerToken}
            onChange={(event) => onChange(event.target.value.trim())}
          />
        </>
      )}
      {person === undefined && bearerToken !== "" && (
        <button type="button" onClick={onForget}>
          Forget it
        </button>
      )}
      {offered && (
        <button type="button" className="offer" onClick={() => onChange(issuedBearerToken)}>
          Use the bearer token just shown
        </button>
      )}
      <span id="caller-hint" role="status">
        {hint(person, bearerToken)}
      </span>
    </header>
  );
}

function hint(person: DemoPerson | undefined, bearerToken: string): string {
  if (person !== undefined) return "A person of the demo, chosen by the open tab";
  if (bearerToken === "") return "Operations run anonymously";
  return "Sent with every operation, forgotten with this page";
}
