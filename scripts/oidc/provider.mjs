// A provider of OpenID Connect on this machine, for scripts/oidc/check.py: whoever types a name is that person.
//
//   node provider.mjs PORT CALLBACK
import Provider from "oidc-provider";

const [port, callback] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "atelier",
      client_secret: "a secret of the two",
      redirect_uris: [callback],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  // What somebody is stands in the token itself, as with the large providers.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ["for these checks only"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: `subject of ${id}`, email: id, email_verified: !id.startsWith("unverified"), name: "Ana from there" }),
  }),
});

provider.listen(Number(port), "127.0.0.1", () => console.log(issuer));
