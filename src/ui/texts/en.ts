/** English. Another language is a file beside this one that satisfies `Texts`. */
export const en = {
  name: 'SwarmHarness',
  about: [
    'Browser tabs compute for one another here, with no server in the middle.',
    'If you agree, this tab works on small pieces of other people’s jobs and earns credits for every result that was checked.',
    'Spend credits to have the swarm compute for you.'
  ],
  notice: {
    query: (name: string, allowed: string) =>
      `The address asks for an unknown “${name}”. It was ignored; use ${allowed}.`,
    overruled: (name: string) =>
      `The address asks for another “${name}” than you agreed to in this browser. Yours counts.`,
    notRemembered: 'This browser does not let the page store your choice. It holds until you close the tab.',
    offline:
      'You are offline. Your ledger can be read, checked and saved; computing and hiring begin when the network is back.',
    noRelay:
      'The relay of this page cannot be reached; it is asked again and again. Your ledger can be read, checked and saved; computing and hiring begin when it answers.',
    clock: (off: string) =>
      `The clock of this device is ${off} away from that of the relay: set it right, or nobody will be found to work with.`,
    update: 'A new version of this page is here.',
    updating: (jobs: string, units: string) =>
      `Waiting for your own jobs (${jobs}: cancel them to go on) and for units in work (${units}).`,
    updateNow: 'Finish the work, then reload'
  },
  language: 'Language',
  consent: {
    title: 'Contribute and earn',
    paused: 'You paused last time, so nothing was started now.',
    uses: [
      {
        term: 'Processor',
        text: 'Computes on your graphics chip (WebGPU), or on the CPU if there is none. It never mines.'
      },
      {
        term: 'Power',
        text: 'Computing draws power and warms the device. You set the limit, and can pause at any time.'
      },
      {
        term: 'What others see',
        text: 'The relay and peers see your IP address, as in a video call, a lasting peer id, and adverts that tell your skills, class of device, load and uptime. Whoever hires you, or is hired, sees and checks your records: jobs, partners, amounts.'
      },
      {
        term: 'Data',
        text: 'A key and your signed credit records are kept in this browser. No account, no tracking.'
      }
    ],
    start: 'Start contributing',
    hireTitle: 'Only hire',
    hireText:
      'Joins the network to submit jobs and computes nothing for others. Peers see your IP address and a lasting peer id; those you hire see and check your records: jobs, partners, amounts. Key and records are kept in this browser.',
    hire: 'Join to hire',
    before:
      'So far this page has loaded its own files and looked for your earlier choice. Nothing else has started.',
    powerLabel: 'Power limit',
    powerHint: 'Share of the device’s time'
  },
  unsupported: {
    title: 'This browser cannot join',
    insecure: 'The page needs a secure address: open it over https, or on localhost.',
    missing: (what: string) =>
      `Missing here: ${what}. Use a current version of Chrome, Edge or Firefox, not in a private window.`
  },
  elsewhere: {
    title: 'Another tab runs the node',
    text: 'One tab of this browser runs your node, so that your records stay one chain. It will be shown here as soon as it answers.',
    differsText:
      'That tab runs another version of this page, so it cannot be shown here. Reload that tab, then this one, or close it to go on here.',
    viewing: 'Your node runs in another tab of this browser. This one shows it, and hires through it.',
    freeTitle: 'The other tab has stopped',
    freeText: 'Your node can run in this tab now.',
    start: 'Run it here'
  },
  starting: { title: 'Starting', text: 'Loading the network part and opening your records.' },
  stopped: { title: 'The node has stopped', failed: 'The node could not start', start: 'Start again' },
  withdraw: {
    button: 'Withdraw consent',
    text: 'Stops everything at once and forgets your choice. Your key and records stay in this browser, so that no credit is lost.'
  },
  state: {
    starting: { label: 'Starting', text: 'The node is being built.' },
    bootstrapping: { label: 'Bootstrapping', text: 'Looking for a relay.' },
    relayed: { label: 'Relayed', text: 'Reachable through a relay, no direct peer yet.' },
    direct: { label: 'Direct', text: 'Connected to peers directly.' },
    offline: { label: 'Offline', text: 'No relay and no peer. Trying again.' },
    stopped: { label: 'Stopped', text: 'The node has stopped.' }
  },
  work: {
    contributing: 'Contributing',
    finishing: (units: string) => `Finishing: ${units} in work`,
    paused: 'Paused: by you',
    idle: 'Paused',
    rests: {
      clock: 'Paused: the clock of this device is wrong',
      battery: 'Paused: on battery',
      metered: 'Paused: the network is metered',
      heat: 'Paused: the processor is fully busy',
      schedule: 'Paused: outside your hours',
      used: 'Paused: you use this page',
      unserved: 'Paused: no skill is switched on'
    },
    anyway: 'Run anyway',
    'not-contributing': 'Not contributing: this tab only hires'
  },
  node: {
    title: 'This node',
    peer: 'Peer id',
    network: 'Network',
    device: 'Device',
    deviceNone: 'Idle',
    webgpu: (name: string) => `WebGPU (${name})`,
    cpu: (name: string) => `No WebGPU adapter: computing on the CPU (${name})`,
    cpuSoftware: (name: string) =>
      `Only a software WebGPU adapter: computing on the CPU, which is faster (${name})`,
    cpuAsked: (name: string) => `CPU, as the address asks (${name})`,
    done: 'Work done',
    workDone: (units: string, verified: string, running: string) =>
      `${units}, ${verified} verified, ${running} running`,
    run: 'Run',
    pause: 'Pause',
    finish: 'Finish',
    finishHint: 'Finish ends the units in work, then pauses.',
    contributeTitle: 'Contribute too'
  },
  serve: {
    now: 'Computed now',
    nothing: 'Nothing at this moment.',
    picture: (skill: string, peer: string) => `The last tile of “${skill}” for ${peer}`,
    computing: (units: string, skill: string, peer: string) => `${units} of “${skill}” for ${peer}`,
    rules: 'When, what, at what price',
    when: 'When',
    profiles: {
      while: 'While I use this machine',
      idle: 'Only when nobody has touched this page for a minute'
    },
    rest: 'Rest',
    rests: {
      onBattery: 'on battery',
      onMetered: 'on a metered network, or with data saving',
      onHeat: 'when the browser reports that the processor is fully busy (work of this page counts)'
    },
    hours: 'Hours',
    schedule: 'Only at certain hours',
    from: 'From',
    to: 'Until',
    skills: 'Skills to serve',
    price: 'Price in percent of the published cost',
    priceHint: '100 is usual; jobs that pay less go to others.',
    strangers: 'Time for strangers, at most',
    usual: 'As is usual here',
    strangersHint:
      'Whoever has done nothing for this node yet comes last, and gets no more than this of an hour.',
    badPrice: (least: string, most: string) => `A whole number from ${least} to ${most}.`
  },
  balance: {
    title: 'Balance in credits (of 1,000,000 µcr)',
    notPromised:
      'Kept in this browser alone, which has not promised to keep it: your credits are gone when its data is cleared, or a private window closed.',
    settled: { label: 'Settled', text: 'Yours to spend' },
    verified: { label: 'Verified', text: 'Checked and receipted, not claimed yet' },
    pending: { label: 'Pending', text: 'Computed, not receipted yet' },
    escrowed: { label: 'Escrowed', text: 'Set aside for your own jobs' }
  },
  own: {
    title: 'Your ledger',
    text: 'Every credit that this node was given, earned or spent is a record that it signed. Witnesses vote on what others must be able to rely on.',
    check: 'Check it here',
    export: 'Save as a file',
    reading: 'Reading the records …',
    noRecords: 'No record yet.',
    refresh: 'Read again',
    holds: (records: string) => `All holds: ${records} records, checked from the first one in this tab.`,
    fails: (place: string, code: string, why: string) => `Record ${place} does not hold (${code}): ${why}`,
    failsWhole: (code: string, why: string) => `It does not hold (${code}): ${why}`,
    file: {
      pick: 'Check a ledger file, of whomever it is',
      of: (name: string, network: string) =>
        `“${name}” is a ledger of the network “${network}”, for looking at only. Its peer:`,
      back: 'Back to your own'
    },
    records: (count: string) => `${count} records, newest first`,
    place: 'Place',
    kind: 'Record',
    time: 'Time',
    change: 'Change',
    balance: 'Balance after',
    witnesses: 'Witnesses',
    nobody: 'none',
    escrows: 'Open escrows',
    noEscrows: 'No open escrow: no credit is set aside.',
    amount: 'Set aside',
    payees: 'For',
    frees: 'Free at the latest',
    arriving:
      'This identity has just come here. It is for looking at until its witnesses have said how far its ledger goes.',
    kinds: {
      genesis: 'Grant',
      seat: 'Witnesses named',
      escrow: 'Escrow',
      settle: 'Settled',
      claim: 'Earned',
      transfer: 'Gift',
      checkpoint: 'Checkpoint',
      heal: 'Branches joined',
      closed: 'Closed',
      opened: 'Opened'
    }
  },
  identity: {
    title: 'Your identity',
    text: 'Whoever has its key is you, with all that you have earned. It is in this browser and nowhere else.',
    passphrase: 'Passphrase',
    repeat: 'The same again',
    passphraseHint: (least: string) =>
      `At least ${least} characters. Without it nobody can open the file, not even you.`,
    tooShort: (least: string) => `Use at least ${least} characters.`,
    different: 'The two are not the same.',
    move: {
      title: 'Move it to another device',
      text: 'Closes your ledger here and gives you a file. From then on this browser signs nothing more for this identity: take the file up elsewhere, or here again.',
      button: 'Close it here and save the file'
    },
    moved: {
      title: 'Your identity is in the file now',
      text: 'Keep the file safe until you have taken it up elsewhere. Until you say that you have it, this page can make it again.',
      save: 'Save the file again',
      have: 'I have the file',
      safe: 'This browser has forgotten what opens your ledger: only the file does now. You can close this page.'
    },
    left: {
      title: 'Save its file again',
      text: 'This identity was closed here, and nobody has said that its file is kept. Take the file up elsewhere, or below; if you do not have it, save it again.',
      button: 'Save the file'
    },
    bring: {
      title: 'Take up an identity from a file',
      text: 'The file that “Close it here and save the file” gave on the other device.',
      file: 'Identity file',
      passphrase: 'Its passphrase',
      look: 'Look into the file',
      found: (peer: string, records: string, balance: string) =>
        `Peer ${peer}: ${records} records, all checked, and ${balance} credits.`,
      replaces:
        'It takes the place of the identity that is here now, which is erased with its key, its ledger and its credits. Move that one away first if you want to keep it.',
      button: 'Erase the one here and take this one up',
      otherNetwork: (theirs: string, ours: string) =>
        `The file is of the network “${theirs}”, and this page is on “${ours}”. Nothing was changed.`,
      same: 'This identity is here already. Nothing was changed.',
      livesElsewhere:
        'This identity runs elsewhere at this moment: stop it there first. Nothing was changed.',
      tooLarge: (size: string) => `${size} is too much for such a file. Nothing was read.`
    },
    erase: {
      title: 'Erase everything here',
      text: 'Key, ledger, credits, jobs, settings and the copy of this page are erased from this browser. Nobody can bring them back. Work in progress is finished first, and your own jobs are ended.',
      word: 'ERASE',
      confirm: (word: string) => `Type ${word} to confirm`,
      button: 'Erase everything'
    },
    erased: {
      title: 'Everything is erased',
      text: 'Nothing of this page is left in this browser. Load it again to begin anew.',
      button: 'Load it again'
    },
    busy: 'A job of yours is running: wait for it or cancel it first.'
  },
  learned: {
    title: 'What this node has learned',
    text: 'From its own dealings alone: what a peer says of itself counts for nothing. Trust falls with a wrong result, a pheromone fades with time.',
    none: 'Nothing yet: it has hired nobody so far.',
    peer: 'Peer',
    skill: 'Skill',
    trust: 'Trust',
    pheromone: 'Pheromone',
    more: (count: string) => `${count} weaker ones are not shown.`,
    refresh: 'Look again',
    copy: 'Copy diagnostics',
    copied: 'Copied.',
    copyHint: 'State, peers, balance and this table as text. It names peers; it holds no key.'
  },
  peers: {
    title: 'Peers',
    empty: 'No peers yet. They appear here as soon as this tab meets them.',
    peer: 'Peer',
    connection: 'Connection',
    skills: 'Skills',
    relay: 'relay',
    none: 'none known',
    more: (count: string) => `and ${count} more`,
    direct: 'direct',
    relayed: 'relayed',
    transports: { webrtc: 'WebRTC', websocket: 'WebSocket', other: 'other' }
  },
  views: {
    label: 'Views',
    contribute: 'Contribute',
    see: 'See',
    hire: 'Hire',
    own: 'Own'
  },
  see: {
    plots: 'Over time',
    freeze: 'Freeze',
    table: 'As a table',
    ago: 'Ago',
    now: 'now',
    collecting: 'A first line in a few seconds.',
    work: { title: 'Units a second', served: 'for others', hired: 'for you' },
    credits: { title: 'Credits', settled: 'settled, change', coming: 'on the way' },
    latency: {
      title: 'Latency to peers',
      median: 'median',
      most: 'slowest',
      none: 'Not measured yet: every peer is asked twice a minute.'
    },
    use: { title: 'Use of the device', busy: 'of what it offers' },
    hired: (units: string) => `works for you: ${units}`,
    served: (units: string) => `you work for it: ${units}`,
    graph: {
      you: 'you',
      direct: 'direct',
      relayed: 'relayed',
      relay: 'relay',
      hired: 'works for you',
      served: 'you work for it',
      summary: (direct: string, relayed: string, hired: string, served: string) =>
        `You and your peers. Direct: ${direct}, relayed: ${relayed}. Work for you: ${hired}. You work for: ${served}. The table says it one by one.`
    }
  },
  log: {
    title: 'Events',
    kind: 'Kind',
    all: 'All',
    kinds: { node: 'Node', peers: 'Peers', work: 'Work', credits: 'Credits', jobs: 'Jobs' },
    words: 'With the words',
    empty: 'Nothing has happened yet.',
    nothing: 'Nothing of that kind.',
    dropped: (count: string) => `Older ones that are not shown: ${count}.`,
    copy: 'Copy what is listed',
    contributing: 'Contributes',
    resting: 'Contributes no more',
    met: (peer: string, connection: string) => `Met ${peer} (${connection})`,
    moved: (peer: string, connection: string) => `${peer} is ${connection} now`,
    lost: (peer: string) => `${peer} has left`,
    taken: (skill: string, peer: string) => `Computes “${skill}” for ${peer}`,
    over: (skill: string, peer: string) => `No more of “${skill}” for ${peer}`,
    verified: (units: string) => `Receipt for ${units}`,
    balance: (change: string) => `Settled balance ${change}`,
    job: (job: string, line: string) => `Job ${job}: ${line}`
  },
  time: { ms: 'ms', s: 's', min: 'min', h: 'h' },
  hire: {
    title: 'Hire the swarm',
    visible: 'Providers can see your input.',
    choose: 'Skill',
    /** By name; a skill that is not here shows what it says of itself. */
    skills: {
      'matmul-i8': { title: 'Matrix product, int8', text: 'C = A × B of 8-bit integers, exact.' },
      'matmul-f32': { title: 'Matrix product, float32', text: 'C = A × B of 32-bit floats.' },
      'knn-i8': {
        title: 'Nearest neighbours',
        text: 'The best rows of a database of 8-bit vectors for each query.'
      },
      mandelbrot: {
        title: 'Mandelbrot set',
        text: 'A picture of the set in exact arithmetic. Click into it to zoom: the swarm renders the next one.'
      },
      'render-tile': {
        title: 'Rendered scene',
        text: 'A path-traced picture of spheres and triangles, tile by tile.'
      }
    },
    sample: 'Run a sample job',
    sampleHint: (price: string) => `A small one, a fraction of a second of work. Price: ${price}`,
    submit: 'Submit job',
    example: 'Fill in the example',
    dropHint: 'A JSON file with the whole input can be dropped anywhere on the form.',
    fields: {
      m: 'Rows of A (m)',
      k: 'Columns of A (k)',
      n: 'Columns of B (n)',
      a: 'Matrix A',
      b: 'Matrix B',
      database: 'Database',
      queries: 'Queries',
      'database-rows': 'Rows of the database',
      'queries-rows': 'Number of queries',
      dims: 'Numbers a row',
      top: 'Results a query',
      metric: 'Metric',
      x: 'Centre, real',
      y: 'Centre, imaginary',
      span: 'Width of the view',
      width: 'Pixels across',
      height: 'Pixels down',
      iterations: 'Iterations',
      scene: 'Scene (JSON)',
      samples: 'Paths a pixel',
      depth: 'Bounces',
      seed: 'Random seed',
      budget: 'Budget (µcr)'
    },
    limits: (least: string, most: string) => `${least} to ${most}`,
    budgetHint: 'Empty: at most twice the price.',
    redundancy: {
      label: 'Computed by',
      auto: 'Automatic',
      hint: 'Providers a unit; each is paid.'
    },
    quote: {
      ask: 'Get a quote',
      asking: 'Asking what it would cost …',
      price: 'Price',
      time: 'Time in the swarm',
      home: 'At home it would take',
      providers: 'Providers',
      unknown: 'not known',
      units: (units: string) => `${units} of work.`,
      measured: (count: string) => `Providers measured in earlier jobs: ${count}.`,
      nobody: 'Nobody is there to hire yet.',
      only: (price: string) => `Price: ${price}`,
      large: 'A large job: get a quote to see its price.',
      once: 'Time and providers are for each unit done once.',
      fasterAtHome: 'Hiring does not pay here: this machine would be faster.'
    },
    file: {
      source: (field: string) => `${field}: where its numbers come from`,
      pick: (field: string) => `${field}: take a file`,
      random: 'Random numbers',
      example: 'The example',
      elements: (count: string) => `${count} elements`,
      kind: (element: string) => `This page cannot make an ${element}.`,
      tooLarge: (size: string, most: string) =>
        `${size} is more than the ${most} that are allowed. Split the job.`,
      notWhole: (bytes: string, element: string, each: string) =>
        `${bytes} bytes are no whole number of elements of an ${element} (${each} bytes each).`,
      notJson: (why: string) => `This is no JSON: ${why}`,
      notList: (element: string) => `An ${element} wants a list of numbers.`,
      wrongElement: (index: string, element: string) =>
        `Element ${index} is no number that fits an ${element}.`,
      folder: (name: string) => `${name} is a folder: drop a file.`,
      wantJson: 'Only a JSON file fills in the whole form. Drop others on a field.',
      unreadable: (name: string, why: string) => `${name} cannot be read: ${why}`
    },
    invalid: {
      empty: 'Enter a whole number.',
      notInteger: 'Enter a whole number in digits only.',
      notNumber: 'Enter a number.',
      emptyText: 'Fill this in.',
      longText: (most: string) => `At most ${most} characters.`,
      tooSmall: (least: string) => `Must be at least ${least}.`,
      tooLarge: (most: string) => `Must be at most ${most}.`,
      overBalance: (settled: string) => `More than your settled balance of ${settled} µcr.`,
      /** What a skill's schema says of a field: `must be …`. */
      issue: (message: string) =>
        `${message.slice(0, 1).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`
    },
    jobs: 'Jobs',
    open: 'Show',
    show: (id: string) => `Show job ${id}`,
    busy: 'One job at a time here: wait for it or cancel it.'
  },
  job: {
    title: (id: string) => `Job ${id}`,
    states: {
      queued: 'Waiting for a provider',
      running: 'Running',
      settling: 'Settling',
      done: 'Done',
      failed: 'Failed',
      cancelled: 'Cancelled'
    },
    waits: 'If nobody is there to hire, it begins as soon as somebody is.',
    progress: 'Verified share of the job',
    status: (state: string, percent: string) => `${state}, ${percent} done`,
    cancel: 'Cancel job',
    cancelling: 'Cancelling',
    log: 'Events',
    logDropped: (count: string) => `${count} earlier events are not shown.`,
    events: {
      queued: (price: string, units: string) => `Planned: ${units}, price ${price} µcr`,
      hired: (chosen: string, of: string) => `${chosen} of ${of} providers chosen`,
      assigned: (unit: string, peer: string) => `Unit ${unit} sent to ${peer}`,
      verified: (unit: string, peer: string) => `Unit ${unit} from ${peer} is right`,
      retried: (unit: string, peer: string, reason: string) => `Unit ${unit} taken from ${peer}: ${reason}`,
      settled: (paid: string) => `Settled: ${paid} µcr paid`,
      done: 'Done',
      failed: (code: string) => `Failed: ${code}`,
      cancelled: 'Cancelled'
    },
    result: 'Result',
    corner: (rows: string, columns: string) => `Top left corner of ${rows} × ${columns}`,
    checksum: 'SHA-256',
    soFar: 'So far',
    picture: (width: string, height: string) => `Picture, ${width} × ${height} pixels`,
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    zoomHint: 'Or click into the picture; with Shift to go back out.',
    nearest: (queries: string) => `The best for the first of ${queries} queries`,
    row: 'Row',
    score: 'Score',
    downloads: { png: 'Picture (PNG)', bin: 'Raw bytes', json: 'JSON', receipt: 'Receipt (JSON)' },
    unitStates: (verified: string, sent: string, waiting: string) =>
      `Units: ${verified} verified, ${sent} in work, ${waiting} waiting`,
    unknownResult: 'This page has no view for the result.',
    receipt: 'Receipt',
    price: 'Price',
    paid: 'Paid',
    refund: 'Refund',
    certainty: 'Certainty',
    certainties: {
      witnessed: 'Certified by a quorum of the witnesses that the payer’s chain names',
      pending: 'The votes of the witnesses are still to come',
      'detection-only': 'Signed by the payees: a later double spend can be detected, not prevented'
    },
    splits: {
      alone: 'One provider did all of it, and is paid for each unit that was verified.',
      shapley:
        'Each unit’s price is shared among those that computed it, by their Shapley value: what each adds, averaged over every order in which they could have come. A unit done once pays its one provider in full; of a unit done twice each gets half. Anyone can work the split out again from the settle record.',
      other: (name: string) => `Shared by the rule “${name}”.`
    },
    escrow: 'Escrow',
    settle: 'Settle',
    provider: 'Provider',
    units: 'Units',
    rejected: 'Rejected'
  },
  error: {
    code: 'Code',
    unknown: 'Something failed without saying why. Reload the page and try again.',
    denied:
      'This browser lets the page keep nothing, and a node signs nothing that it cannot keep. Allow site data for this page, then start again.',
    clock:
      'The clock of this device is wrong, and nothing is signed with a wrong time. Set it right, then try again.',
    /** An error of the node's; its message is English already. */
    said: (_code: string, message: string) => message,
    dismiss: 'Dismiss'
  },
  /** `Intl.PluralRules` categories of a count of units. */
  unitCount: { one: 'unit', other: 'units' }
}

export type Texts = typeof en
