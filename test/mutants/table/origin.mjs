/** May a page of this origin use the cookie? */
export const origin = [
  {
    file: 'origin.ts',
    rows: [
      ['every page is one of the server itself', 'isOwn(origin, headers.host)', 'true', 'origin'],
      [
        'same-site is believed to be the own site',
        "site === 'none'",
        "site === 'none' || site === 'same-site'",
        'origin',
      ],
      ['same-origin is not believed', "site === 'same-origin' || ", '', 'origin'],
      ['the address bar (Sec-Fetch-Site: none) is another site', " || site === 'none'", '', 'origin'],
      ['an empty Origin is no browser', 'headers.origin !== undefined', 'headers.origin', 'origin'],
      ['the Referer of an old browser is not looked at', 'headers.referer !== undefined', 'false', 'origin'],
      ['a Referer that is malformed is no browser', "?.origin ?? 'null'", '?.origin', 'origin'],
      ['a script (JSONP) of an old browser is no browser', ' && !/[?&]j=/.test(url)', '', 'origin'],
      ['cross-site without Origin is no browser', 'site === undefined && ', '', 'origin'],
      [
        'an origin that begins as a trusted one is trusted',
        'return rule === origin',
        'return origin.startsWith(String(rule))',
        'origin',
      ],
      ['a RegExp with /g trusts every other time', 'origin.search(rule) !== -1', 'rule.test(origin)', 'origin'],
      [
        'cors.origin: true trusts every page',
        "answer === true && (options.credentials === true || typeof rule === 'function')",
        'answer === true',
        'origin',
      ],
      [
        '`origins` that is given adds to cors',
        'origins === undefined ? allowedByCors(origin, headers, cors()) : allowed(origin, origins, headers)',
        'allowedByCors(origin, headers, cors()) || allowed(origin, origins ?? [], headers)',
        'origin',
      ],
      ['what a function answers is believed if it is truthy', ': answer === true', ': answer', 'origin'],
      ['what a function promises is believed if it is truthy', '.then((value) => value === true)', '', 'origin'],
      [
        'a check that fails lets in',
        "throw new SessionError('ERR_SESSION_ORIGIN', `the check",
        "return void new SessionError('ERR_SESSION_ORIGIN', `the check",
        'origin',
      ],
      ['an extension’s page of the same host is the own site', '!/^https?:$/.test(page.protocol)', 'false', 'origin'],
      ['another port is the own site', '?.host === page.host', '?.hostname === page.hostname', 'origin'],
      ['without a Host header https://undefined is the own site', 'if (!host || !page ||', 'if (!page ||', 'origin'],
      ['without a Host header http://undefined is the own site', 'if (host && (origin', 'if ((origin', 'origin'],
      ['a huge Origin is printed in full', 'text.slice(0, 200)', 'text', 'origin'],
    ],
  },
]
