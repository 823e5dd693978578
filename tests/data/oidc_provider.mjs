// An OpenID provider for the tests: npm's oidc-provider with its own interactions, in which any login is accepted.
// Arguments: the port, the redirect URI of the client. Prints a line when it listens.
import Provider from "oidc-provider";

const [port, redirectUri] = process.argv.slice(2);
const removed = new Set();

function account(login) {
  const user = login.replace(/^twin-/, "");
  return {
    accountId: login,
    claims: () => ({
      sub: login,
      email: `${user}@example.org`,
      email_verified: !login.startsWith("mallory"),
      groups: login.startsWith("ann") ? ["ml", "all"] : ["all"],
    }),
  };
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "autoflow", client_secret: "a secret of the tests", redirect_uris: [redirectUri] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["groups"] },
  cookies: { keys: ["a key of the tests"] },
  findAccount: (_context, login) => (removed.has(login) ? undefined : account(login)),
  pkce: { required: () => true },
});
provider.use(async (context, next) => {
  if (context.path === "/remove") removed.add(context.query.login);
  await next();
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
