/** Directories that say more: groups on the person's own entry (memberOf), accounts that a password policy has locked. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { removeSlapd, SLAPD_MISSING } from '../../testkit/src/slapd.ts';
import {
  BASE,
  changeEntry,
  GROUPS,
  identify,
  plain,
  SEATTLE,
  startDirectory,
  startWithDirectories,
  submit,
} from './directory-login.ts';

describe('overlays of a directory', SLAPD_MISSING === undefined ? {} : { skip: SLAPD_MISSING }, () => {
  test('groups come from memberOf too: each value is the name of a group', async (t) => {
    const slapd = await startDirectory({ modules: ['memberof'], database: 'overlay memberof' });
    t.after(() => removeSlapd(slapd));
    // The overlay writes memberOf when a membership changes.
    await changeEntry(slapd, `cn=developers,ou=Flat,ou=Groups,${BASE}`, 'member', `cn=jane,${SEATTLE}`);
    await changeEntry(slapd, `cn=qa,ou=Other,ou=Groups,${BASE}`, 'member', `cn=jane,${SEATTLE}`);
    const groupSearch = {
      baseDN: `ou=Groups,${BASE}`,
      nameAttr: 'cn',
      userMatchers: [{ userAttr: 'memberOf', groupAttr: 'entryDN' }],
    };
    const identity = await startWithDirectories(t, { ldap: { ...plain(slapd), groupSearch } });
    const { claims } = await identify(identity, { connector: 'ldap', login: 'jane', password: 'foo' });
    assert.deepEqual(claims['groups'], ['developers', 'qa']);
    const john = await identify(identity, { connector: 'ldap', login: 'john', password: 'bar' });
    assert.equal(john.claims['groups'], undefined);
  });

  test('a person in more groups than the directory gives at once logs in with all of them', async (t) => {
    // As Active Directory does: so many without paging, any number with it. The administrator has no limits.
    const slapd = await startDirectory({
      database: 'sizelimit size.soft=1 size.hard=1 size.pr=500 size.prtotal=unlimited',
    });
    t.after(() => removeSlapd(slapd));
    const groupSearch = { ...GROUPS, baseDN: BASE };
    const anonymous = { ...plain(slapd), bindDN: '', bindPW: '', groupSearch };
    const identity = await startWithDirectories(t, { ldap: anonymous });
    const { claims } = await identify(identity, { connector: 'ldap', login: 'jane', password: 'foo' });
    assert.deepEqual(claims['groups'], ['admins', 'developers', 'childGroup', 'circularGroup1']);
  });

  test('an account that a password policy has locked is refused like a wrong password, and the log has the reason', async (t) => {
    const policy = `
dn: cn=policy,${BASE}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 2
`;
    const slapd = await startDirectory({
      modules: ['ppolicy'],
      database: `overlay ppolicy\nppolicy_default "cn=policy,${BASE}"`,
      more: policy,
    });
    t.after(() => removeSlapd(slapd));
    const identity = await startWithDirectories(t, { ldap: plain(slapd) });
    const jane = { connector: 'ldap', login: 'jane', password: 'foo' };
    assert.equal((await submit(identity, jane)).status, 303);
    for (let count = 0; count < 2; count += 1)
      assert.equal((await submit(identity, { ...jane, password: 'wrong' })).status, 401);
    const locked = await submit(identity, jane);
    assert.equal(locked.status, 401);
    assert.match(await locked.text(), /Invalid Username and password/);
    assert.ok(identity.log.some((line) => line.includes('"msg":"login refused"')));
    assert.equal((await submit(identity, { ...jane, login: 'john', password: 'bar' })).status, 303);
  });
});
