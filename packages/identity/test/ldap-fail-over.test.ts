/** Directories that die, come back or ask for a certificate, seen from the login page. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { removeSlapd, SLAPD_MISSING } from '../../testkit/src/slapd.ts';
import { identify, plain, refreshAt, startDirectory, startWithDirectories, submit } from './directory-login.ts';

describe('directories that die', SLAPD_MISSING === undefined ? {} : { skip: SLAPD_MISSING }, () => {
  test('logins and refreshes go over to the next host, and come back to a lone one that was restarted', async (t) => {
    const [first, second] = await Promise.all([startDirectory(), startDirectory()]);
    t.after(() => Promise.all([removeSlapd(first), removeSlapd(second)]));
    const identity = await startWithDirectories(t, {
      both: { ...plain(first), host: `127.0.0.1:${first.port} 127.0.0.1:${second.port}` },
      lone: plain(first),
    });
    const both = { connector: 'both', login: 'jane', password: 'foo' };
    const lone = { ...both, connector: 'lone' };
    const { refreshToken } = await identify(identity, both);
    const { refreshToken: loneToken } = await identify(identity, lone);
    await first.stop();
    assert.equal((await refreshAt(identity, refreshToken)).status, 200);
    await identify(identity, both);
    assert.equal((await submit(identity, lone)).status, 500);
    assert.equal((await refreshAt(identity, loneToken)).status, 500);
    await first.start();
    assert.equal((await refreshAt(identity, loneToken)).status, 200, 'the token lives on');
    await identify(identity, lone);
    await second.stop();
    await identify(identity, both);
  });

  test('a directory without TLS that is asked for StartTLS or LDAPS logs nobody in', async (t) => {
    const slapd = await startDirectory();
    t.after(() => removeSlapd(slapd));
    const host = `127.0.0.1:${slapd.port}`;
    const careless = { host, insecureSkipVerify: true };
    const identity = await startWithDirectories(t, { starttls: { ...careless, startTLS: true }, ldaps: careless });
    for (const connector of ['starttls', 'ldaps']) {
      const response = await submit(identity, { connector, login: 'jane', password: 'foo' });
      assert.equal(response.status, 500, connector);
      assert.match(await response.text(), /Login error\./);
    }
    assert.ok(
      identity.log.some((line) => line.includes('protocolError (2)')),
      'the log has the answer in words',
    );
  });

  test('a directory that demands a client certificate lets in who shows one', async (t) => {
    const slapd = await startDirectory({ tls: true, clientCertificates: 'demand' });
    t.after(() => removeSlapd(slapd));
    const secured = { host: `localhost:${slapd.tlsPort}`, rootCA: slapd.caFile };
    const certificate = { clientCert: `${slapd.directory}/client.pem`, clientKey: `${slapd.directory}/client.key` };
    const identity = await startWithDirectories(t, {
      shown: { ...secured, ...certificate },
      overStartTls: { ...secured, ...certificate, host: `localhost:${slapd.port}`, startTLS: true },
      missing: secured,
    });
    const jane = { login: 'jane', password: 'foo' };
    await identify(identity, { ...jane, connector: 'shown' });
    await identify(identity, { ...jane, connector: 'overStartTls' });
    assert.equal((await submit(identity, { ...jane, connector: 'missing' })).status, 500);
  });
});
