/**
 * Gives `<style>` elements the nonce of the page, without which its Content-Security-Policy drops them.
 *
 * Monaco and Radix write such elements as they run, and Monaco has no setting for a nonce.
 */
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")!.nonce;
const createElement = document.createElement.bind(document);

document.createElement = (name: string, options?: ElementCreationOptions) => {
  const element = createElement(name, options);
  if (name === "style") element.nonce = nonce;
  return element;
};
