"""Signs in by a real provider of OpenID Connect, and tries what must not let anybody in.

    python3 scripts/oidc/check.py ATELIER NODE_MODULES

ATELIER is the program, NODE_MODULES the folder in which the provider is installed. Both listen on loopback only.
"""

import html
import http.cookiejar
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
SECRET = "a secret of the two"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """Follows redirects one by one, so that each can be looked at and changed."""

    def __init__(self):
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), NoRedirect, urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def ask(self, url, form=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            answer = self.opener.open(urllib.request.Request(url, data=data), timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers.get("Location"), answer.read().decode(errors="replace")


class Check:
    def __init__(self, atelier, modules, folder):
        self.atelier, self.folder = atelier, pathlib.Path(folder)
        server, provider = free_port(), free_port()
        self.url, self.issuer = f"http://127.0.0.1:{server}", f"http://127.0.0.1:{provider}"
        self.callback = f"{self.url}/api/v1/sign-in/oidc/test/callback"
        config = self.folder / "atelier.toml"
        config.write_text(
            f'[server.sign_in.test]\nissuer = "{self.issuer}"\nclient_id = "atelier"\nclient_secret_env = "CHECK_SECRET"\n'
            'title = "The provider"\nallow_addresses = ["ana@example.org"]\nallow_domains = ["studio.example"]\n'
        )
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "CHECK_SECRET": SECRET,
            "ATELIER_CONFIG": str(config), "ATELIER_DATA_DIR": str(self.folder / "data"),
        }
        shutil.copy(HERE / "provider.mjs", modules)
        self.processes = [
            subprocess.Popen(["node", "provider.mjs", str(provider), self.callback], cwd=modules, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            subprocess.Popen([atelier, "serve", "--addr", f"127.0.0.1:{server}"], env=self.environment, stdout=subprocess.DEVNULL),
        ]
        self.until_up(f"{self.issuer}/.well-known/openid-configuration")
        self.until_up(f"{self.url}/health")

    def until_up(self, url):
        for _ in range(300):
            try:
                if Browser().ask(url)[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"error: {url} does not answer")

    def run(self, *arguments, stdin=""):
        command = [self.atelier, *arguments, "--json"]
        return json.loads(subprocess.run(command, env=self.environment, input=stdin, text=True, check=True, capture_output=True).stdout)

    def depart(self, browser, back="/"):
        status, location, body = browser.ask(f"{self.url}/api/v1/sign-in/oidc/test?return={urllib.parse.quote(back, safe='')}")
        assert status == 303 and location.startswith(self.issuer), (status, location, body)
        return location

    def at_provider(self, browser, location, login):
        """Signs in there as this person, up to the address that leads back."""
        for _ in range(12):
            if location.startswith(self.callback):
                return location
            status, onward, body = browser.ask(location)
            if onward:
                location = urllib.parse.urljoin(location, onward)
                continue
            assert status == 200 and "<form" in body, (status, body[:500])
            form = dict(re.findall(r'name="(prompt)" value="(\w+)"', body))
            if form["prompt"] == "login":
                form |= {"login": login, "password": "any"}
            action = html.unescape(re.search(r'action="([^"]+)"', body).group(1))
            status, onward, body = browser.ask(urllib.parse.urljoin(location, action), form)
            assert onward, (status, body[:500])
            location = urllib.parse.urljoin(location, onward)
        raise AssertionError(f"the provider leads nowhere: {location}")

    def sign_in(self, browser, login, back="/", change=lambda url: url):
        location = self.at_provider(browser, change(self.depart(browser, back)), login)
        return (*browser.ask(location), location)

    def me(self, browser):
        status, _, body = browser.ask(f"{self.url}/api/v1/me")
        return json.loads(body)["user"] if status == 200 else None

    def refused(self, what, answer, browser, status, code):
        found, _, body = answer[:3]
        assert (found, json.loads(body)["code"]) == (status, code), (what, answer)
        assert self.me(browser) is None, f"{what}: somebody is signed in"
        print(f"  refused: {what} ({code})")

    def all(self):
        browser = Browser()
        early = browser.ask(f"{self.url}/api/v1/sign-in/oidc/test")
        self.refused("while there is no administrator", early, browser, 401, "sign-in-failed")
        self.run("users", "add", "root", "--role", "admin", "--password-stdin", stdin="a long password\n")

        browser = Browser()
        status, location, _, used = self.sign_in(browser, "ana@example.org", "/?in=made")
        assert (status, location) == (303, "/?in=made"), (status, location)
        ana = self.me(browser)
        assert (ana["role"], ana["name"], ana["shown"]) == ("member", "ana@example.org", "Ana from there"), ana
        again = Browser()
        self.sign_in(again, "ana@example.org", "//evil.example/")
        assert self.me(again)["id"] == ana["id"], "the same person is another one"
        print("  let in: an address on the list, as a member, the same one again")
        status, location, *_ = self.sign_in(Browser(), "max@studio.example", "https://evil.example/")
        assert (status, location) == (303, "/"), (status, location)
        print("  let in: an address of a domain on the list; nobody is sent elsewhere")

        for login, what in [("eve@evil.example", "an address that is not on the list"), ("unverified@studio.example", "an address that is not verified")]:
            browser = Browser()
            self.refused(what, self.sign_in(browser, login), browser, 403, "not-allowed")
        browser = Browser()
        self.refused("the same answer once more", browser.ask(used), browser, 401, "sign-in-failed")

        changed = lambda name: lambda url: re.sub(rf"{name}=[^&]+", f"{name}={'A' * 43}", url)
        for name, what in [("nonce", "a token for another sign-in"), ("code_challenge", "a code that somebody else asked for")]:
            browser = Browser()
            self.refused(what, self.sign_in(browser, "ana@example.org", change=changed(name)), browser, 401, "sign-in-failed")
        old_code = urllib.parse.parse_qs(urllib.parse.urlsplit(used).query)["code"][0]
        browser = Browser()
        location = self.at_provider(browser, self.depart(browser), "ana@example.org")
        reused = re.sub(r"code=[^&]+", f"code={old_code}", location)
        self.refused("a code that was used", browser.ask(reused), browser, 401, "sign-in-failed")
        browser, other = Browser(), Browser()
        location = self.at_provider(browser, self.depart(browser), "ana@example.org")
        self.refused("another browser than the one that began", other.ask(location), other, 401, "sign-in-failed")
        browser = Browser()
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(self.depart(browser)).query)["state"][0]
        aborted = browser.ask(f"{self.callback}?error=access_denied&state={state}")
        self.refused("a sign-in that was broken off", aborted, browser, 401, "sign-in-failed")

        self.run("users", "disable", "max@studio.example")
        browser = Browser()
        self.refused("somebody who may not come in any more", self.sign_in(browser, "max@studio.example"), browser, 403, "not-allowed")

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=60)


def main():
    atelier, modules = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        check = Check(os.path.abspath(atelier), os.path.abspath(modules), folder)
        try:
            check.all()
        finally:
            check.end()
    print("sign-in by a provider: all as it should be")


main()
