import type { Texts } from './en.ts'
import { errorInChinese, reasonInChinese } from './zh-errors.ts'
import { issueInChinese } from './zh-issues.ts'

/** 简体中文。 */
export const zh: Texts = {
  name: 'SwarmHarness',
  about: [
    '浏览器标签页在这里互相计算，中间没有服务器。',
    '如果你同意，本标签页会处理他人任务的小块，每个通过检验的结果都会赚取积分。',
    '你也可以花积分，让蜂群为你计算。'
  ],
  notice: {
    query: (name, allowed) => `网址中的“${name}”无法识别，已忽略；可用的值：${allowed}。`,
    overruled: (name) => `网址要求的“${name}”与你在此浏览器中同意过的不同，以你同意的为准。`,
    notRemembered: '此浏览器不允许本页保存你的选择。选择只在关闭标签页之前有效。',
    offline: '你处于离线状态。账本可以阅读、检查和保存；网络恢复后即可计算和雇用。',
    noRelay: '无法连接本页的中继，正在不断重试。账本可以阅读、检查和保存；中继回应后即可计算和雇用。',
    clock: (off) => `此设备的时钟与中继相差 ${off}：请校正时钟，否则找不到合作的节点。`,
    update: '本页有了新版本。',
    updating: (jobs, units) =>
      `正在等待你自己的任务（${jobs} 个，取消即可继续）和正在计算的单元（${units} 个）。`,
    updateNow: '完成工作后重新加载'
  },
  language: '语言',
  consent: {
    title: '贡献算力并赚取积分',
    paused: '你上次暂停了，所以现在什么都没有启动。',
    uses: [
      { term: '处理器', text: '在你的显卡（WebGPU）上计算；没有时使用 CPU。绝不挖矿。' },
      { term: '功率', text: '计算会耗电并使设备发热。上限由你设定，随时可以暂停。' },
      {
        term: '他人所见',
        text: '中继和其他节点会看到你的 IP 地址（就像视频通话一样）、长期不变的节点 ID，以及写明技能、设备类别、负载和运行时长的公告。雇用你的人和你雇用的人会看到并检查你的记录：任务、合作方和金额。'
      },
      { term: '数据', text: '密钥和签名的积分记录保存在此浏览器中。无需账号，没有跟踪。' }
    ],
    start: '开始贡献',
    hireTitle: '只雇用',
    hireText:
      '加入网络提交任务，不为他人计算。其他节点会看到你的 IP 地址和长期不变的节点 ID；你雇用的人会看到并检查你的记录：任务、合作方和金额。密钥和记录保存在此浏览器中。',
    hire: '加入并雇用',
    before: '到目前为止，本页只加载了自己的文件并查找了你之前的选择。其他什么都没有启动。',
    powerLabel: '功率上限',
    powerHint: '占设备时间的比例'
  },
  unsupported: {
    title: '此浏览器无法加入',
    insecure: '本页需要安全地址：请通过 https 或在 localhost 上打开。',
    missing: (what) => `缺少：${what}。请使用最新版的 Chrome、Edge 或 Firefox，且不要使用无痕窗口。`
  },
  elsewhere: {
    title: '节点在另一个标签页中运行',
    text: '同一浏览器只有一个标签页运行你的节点，使你的记录保持为一条链。它一旦回应，就会在此显示。',
    differsText:
      '那个标签页运行的是本页的另一版本，因此无法在此显示。请先重新加载那个标签页，再重新加载本页；或关闭它以便在此继续。',
    viewing: '你的节点在此浏览器的另一个标签页中运行。本页显示它，并通过它雇用。',
    freeTitle: '另一个标签页已停止',
    freeText: '你的节点现在可以在此标签页运行。',
    start: '在此运行'
  },
  starting: { title: '正在启动', text: '正在加载网络部分并打开你的记录。' },
  stopped: { title: '节点已停止', failed: '节点无法启动', start: '重新启动' },
  withdraw: {
    button: '撤回同意',
    text: '立即停止一切并忘记你的选择。密钥和记录保留在此浏览器中，积分不会丢失。'
  },
  state: {
    starting: { label: '正在启动', text: '正在建立节点。' },
    bootstrapping: { label: '正在引导', text: '正在寻找中继。' },
    relayed: { label: '经中继', text: '可通过中继到达，尚无直接连接的节点。' },
    direct: { label: '直连', text: '已与其他节点直接连接。' },
    offline: { label: '离线', text: '没有中继，也没有节点。正在重试。' },
    stopped: { label: '已停止', text: '节点已停止。' }
  },
  work: {
    contributing: '正在贡献',
    finishing: (units) => `正在收尾：还有 ${units}在计算`,
    paused: '已暂停：由你暂停',
    idle: '已暂停',
    rests: {
      clock: '已暂停：此设备的时钟不准',
      battery: '已暂停：正在使用电池',
      metered: '已暂停：网络按流量计费',
      heat: '已暂停：处理器满负荷',
      schedule: '已暂停：不在你设定的时段内',
      used: '已暂停：你正在使用本页',
      unserved: '已暂停：没有启用任何技能'
    },
    anyway: '仍然运行',
    'not-contributing': '未贡献：此标签页只雇用'
  },
  node: {
    title: '本节点',
    peer: '节点标识',
    network: '网络',
    device: '设备',
    deviceNone: '空闲',
    webgpu: (name) => `WebGPU（${name}）`,
    cpu: (name) => `没有 WebGPU 适配器：在 CPU 上计算（${name}）`,
    cpuSoftware: (name) => `只有软件 WebGPU 适配器：在 CPU 上计算，这样更快（${name}）`,
    cpuAsked: (name) => `CPU，按网址的要求（${name}）`,
    done: '已完成的工作',
    workDone: (units, verified, running) => `${units}，${verified} 个已检验，${running} 个在计算`,
    run: '运行',
    pause: '暂停',
    finish: '收尾',
    finishHint: '“收尾”会完成正在计算的单元，然后暂停。',
    contributeTitle: '也来贡献'
  },
  serve: {
    now: '正在计算',
    nothing: '此刻没有任务。',
    picture: (skill, peer) => `为 ${peer} 计算的“${skill}”的最新一块`,
    computing: (units, skill, peer) => `为 ${peer} 计算“${skill}”的 ${units}`,
    rules: '何时、做什么、什么价格',
    when: '何时',
    profiles: {
      while: '我使用这台机器时也运行',
      idle: '仅当一分钟内无人操作本页时'
    },
    rest: '在以下情况休息',
    rests: {
      onBattery: '使用电池时',
      onMetered: '网络按流量计费或省流量时',
      onHeat: '浏览器报告处理器满负荷时（包括本页面自己的工作）'
    },
    hours: '时段',
    schedule: '仅在特定时段',
    from: '从',
    to: '到',
    skills: '提供的技能',
    price: '价格（占公布成本的百分比）',
    priceHint: '通常为 100；出价更低的任务会交给别人。',
    strangers: '陌生人最多可用的时间',
    usual: '按网络惯例',
    strangersHint: '尚未为本节点做过事的人排在最后，每小时不超过此比例。',
    badPrice: (least, most) => `请输入 ${least} 到 ${most} 之间的整数。`
  },
  balance: {
    title: '积分余额（1 积分为 1,000,000 µcr）',
    notPromised: '只保存在此浏览器中，而浏览器并未承诺保留：清除数据或关闭无痕窗口后，你的积分便会消失。',
    settled: { label: '已结算', text: '可以使用' },
    verified: { label: '已检验', text: '已检验并有收据，尚未领取' },
    pending: { label: '待定', text: '已计算，尚无收据' },
    escrowed: { label: '托管中', text: '为你自己的任务预留' }
  },
  own: {
    title: '你的账本',
    text: '本节点获赠、赚取或花费的每一个积分都是一条由它签名的记录。凡是他人必须能够信赖的内容，都由见证人投票。',
    check: '在此检查',
    export: '保存为文件',
    reading: '正在读取记录……',
    noRecords: '还没有记录。',
    refresh: '重新读取',
    holds: (records) => `全部成立：${records} 条记录，已在本标签页从第一条起检查。`,
    fails: (place, code, why) => `记录 ${place} 不成立（${code}）：${why}`,
    failsWhole: (code, why) => `账本不成立（${code}）：${why}`,
    file: {
      pick: '检查账本文件（任何人的都可以）',
      of: (name, network) => `“${name}”是网络“${network}”上的一份账本，只供查看。它的节点：`,
      back: '返回你的账本'
    },
    records: (count) => `${count} 条记录，最新的在前`,
    place: '位置',
    kind: '记录',
    time: '时间',
    change: '变化',
    balance: '之后的余额',
    witnesses: '见证人',
    nobody: '无',
    escrows: '未结的托管',
    noEscrows: '没有未结的托管：没有预留积分。',
    amount: '预留',
    payees: '给',
    frees: '最迟释放时间',
    arriving: '此身份刚刚来到这里。在见证人说明其账本的终点之前，只能查看。',
    kinds: {
      genesis: '初始赠款',
      seat: '指定见证人',
      escrow: '托管',
      settle: '已结算',
      claim: '赚取',
      transfer: '赠与',
      checkpoint: '检查点',
      heal: '分支合并',
      closed: '已关闭',
      opened: '已开启'
    }
  },
  identity: {
    title: '你的身份',
    text: '谁持有它的密钥，谁就是你，拥有你赚取的一切。它只在此浏览器中。',
    passphrase: '口令',
    repeat: '再输入一次',
    passphraseHint: (least) => `至少 ${least} 个字符。没有它，谁也打不开文件，包括你自己。`,
    tooShort: (least) => `请使用至少 ${least} 个字符。`,
    different: '两次输入不一致。',
    move: {
      title: '移到另一台设备',
      text: '在此关闭你的账本，并给你一个文件。此后本浏览器不再为此身份签名：请在别处或再次在此处启用该文件。',
      button: '在此关闭并保存文件'
    },
    moved: {
      title: '你的身份现在在文件里',
      text: '在别处启用之前请妥善保管该文件。在你确认已持有它之前，本页可以再次生成它。',
      save: '再次保存文件',
      have: '文件已在我手中',
      safe: '此浏览器已忘记打开账本的凭据：现在只有该文件能打开它。可以关闭本页了。'
    },
    left: {
      title: '再次保存它的文件',
      text: '此身份已在这里关闭，但没有人确认其文件已妥善保管。请在别处或在下方启用该文件；如果没有文件，请再次保存。',
      button: '保存文件'
    },
    bring: {
      title: '从文件启用身份',
      text: '即另一台设备上“在此关闭并保存文件”给出的文件。',
      file: '身份文件',
      passphrase: '它的口令',
      look: '查看文件',
      found: (peer, records, balance) => `节点 ${peer}：${records} 条记录，全部检查过，${balance} 积分。`,
      replaces: '它将取代此处现有的身份，后者连同密钥、账本和积分都会被清除。如果想保留，请先把它移走。',
      button: '清除此处的身份并启用这个',
      otherNetwork: (theirs, ours) => `文件属于网络“${theirs}”，而本页在“${ours}”。什么都没有改变。`,
      same: '此身份已经在这里。什么都没有改变。',
      livesElsewhere: '此身份此刻正在别处运行：请先在那里停止它。什么都没有改变。',
      tooLarge: (size) => `${size} 对这种文件来说太大。没有读取任何内容。`
    },
    erase: {
      title: '清除此处的一切',
      text: '密钥、账本、积分、任务、设置以及本页的副本都会从此浏览器中清除，任何人都无法恢复。正在进行的工作会先完成，你自己的任务会被结束。',
      word: '清除',
      confirm: (word) => `输入“${word}”以确认`,
      button: '清除一切'
    },
    erased: {
      title: '一切都已清除',
      text: '本页没有在此浏览器中留下任何东西。重新加载即可重新开始。',
      button: '重新加载'
    },
    busy: '你有任务正在运行：请先等待或取消它。'
  },
  learned: {
    title: '本节点学到的东西',
    text: '只来自它自己的交往：节点对自己的说法毫无分量。错误的结果会降低信任，信息素会随时间消退。',
    none: '还没有：它至今没有雇用过任何节点。',
    peer: '节点',
    skill: '技能',
    trust: '信任',
    pheromone: '信息素',
    more: (count) => `另有 ${count} 条较弱的未显示。`,
    refresh: '重新查看',
    copy: '复制诊断信息',
    copied: '已复制。',
    copyHint: '以文本形式包含状态、节点、余额和此表。其中有节点标识，没有密钥。'
  },
  peers: {
    title: '节点',
    empty: '还没有节点。本标签页一遇到节点，就会显示在这里。',
    peer: '节点',
    connection: '连接',
    skills: '技能',
    relay: '中继',
    none: '未知',
    more: (count) => `以及另外 ${count} 个`,
    direct: '直连',
    relayed: '经中继',
    transports: { webrtc: 'WebRTC', websocket: 'WebSocket', other: '其他' }
  },
  views: {
    label: '视图',
    contribute: '贡献',
    see: '查看',
    hire: '雇用',
    own: '我的'
  },
  see: {
    plots: '随时间变化',
    freeze: '定格',
    table: '以表格显示',
    ago: '多久以前',
    now: '现在',
    collecting: '几秒钟后出现第一条曲线。',
    work: { title: '每秒单元数', served: '为他人', hired: '为你' },
    credits: { title: '积分', settled: '已结算的变化', coming: '在途' },
    latency: {
      title: '到节点的延迟',
      median: '中位数',
      most: '最慢',
      none: '尚未测量：每个节点每分钟询问两次。'
    },
    use: { title: '设备使用率', busy: '占所提供的' },
    hired: (units) => `为你工作：${units}`,
    served: (units) => `你为它工作：${units}`,
    graph: {
      you: '你',
      direct: '直连',
      relayed: '经中继',
      relay: '中继',
      hired: '为你工作',
      served: '你为它工作',
      summary: (direct, relayed, hired, served) =>
        `你和你的节点。直连：${direct}，经中继：${relayed}。为你工作：${hired}。你为之工作：${served}。表格逐一列出。`
    }
  },
  log: {
    title: '事件',
    kind: '类别',
    all: '全部',
    kinds: { node: '本节点', peers: '节点', work: '工作', credits: '积分', jobs: '任务' },
    words: '包含文字',
    empty: '还没有发生任何事。',
    nothing: '没有这一类事件。',
    dropped: (count) => `未显示的较早事件：${count}。`,
    copy: '复制所列内容',
    contributing: '开始贡献',
    resting: '不再贡献',
    met: (peer, connection) => `遇到 ${peer}（${connection}）`,
    moved: (peer, connection) => `${peer} 现在${connection}`,
    lost: (peer) => `${peer} 已离开`,
    taken: (skill, peer) => `为 ${peer} 计算“${skill}”`,
    over: (skill, peer) => `为 ${peer} 计算“${skill}”已结束`,
    verified: (units) => `收到 ${units}的收据`,
    balance: (change) => `已结算余额 ${change}`,
    job: (job, line) => `任务 ${job}：${line}`
  },
  time: { ms: '毫秒', s: '秒', min: '分钟', h: '小时' },
  hire: {
    title: '雇用蜂群',
    visible: '提供者能看到你的输入。',
    choose: '技能',
    skills: {
      'matmul-i8': { title: '矩阵乘积，int8', text: 'C = A × B，8 位整数，结果精确。' },
      'matmul-f32': { title: '矩阵乘积，float32', text: 'C = A × B，32 位浮点数。' },
      'knn-i8': { title: '最近邻', text: '为每个查询找出 8 位向量数据库中最佳的行。' },
      mandelbrot: {
        title: '曼德博集合',
        text: '以精确算术绘制的集合图像。点击图像即可放大：蜂群会绘制下一张。'
      },
      'render-tile': { title: '渲染场景', text: '由球体和三角形构成的路径追踪图像，逐块出现。' }
    },
    sample: '运行示例任务',
    sampleHint: (price) => `一个小任务，只需不到一秒的计算。价格：${price}`,
    submit: '提交任务',
    example: '填入示例',
    dropHint: '可以把包含全部输入的 JSON 文件拖放到表单的任意位置。',
    fields: {
      m: 'A 的行数 (m)',
      k: 'A 的列数 (k)',
      n: 'B 的列数 (n)',
      a: '矩阵 A',
      b: '矩阵 B',
      database: '数据库',
      queries: '查询',
      'database-rows': '数据库的行数',
      'queries-rows': '查询的数量',
      dims: '每行的数字个数',
      top: '每个查询的结果数',
      metric: '度量',
      x: '中心，实部',
      y: '中心，虚部',
      span: '视图宽度',
      width: '横向像素',
      height: '纵向像素',
      iterations: '迭代次数',
      scene: '场景 (JSON)',
      samples: '每像素路径数',
      depth: '反弹次数',
      seed: '随机种子',
      budget: '预算 (µcr)'
    },
    limits: (least, most) => `${least} 到 ${most}`,
    budgetHint: '留空：最多为价格的两倍。',
    redundancy: { label: '计算份数', auto: '自动', hint: '每个单元的提供者数；每个都会获得报酬。' },
    quote: {
      ask: '获取报价',
      asking: '正在询问价格……',
      price: '价格',
      time: '在蜂群中的用时',
      home: '在本机上需要',
      providers: '提供者',
      unknown: '未知',
      units: (units) => `共 ${units}。`,
      measured: (count) => `在以前的任务中测量过的提供者：${count} 个。`,
      nobody: '现在还没有人可以雇用。',
      only: (price) => `价格：${price}`,
      large: '任务较大：请获取报价查看价格。',
      once: '用时和提供者数按每个单元只计算一次估计。',
      fasterAtHome: '这里雇用并不划算：本机会更快。'
    },
    file: {
      source: (field) => `${field}：数字的来源`,
      pick: (field) => `${field}：选择文件`,
      random: '随机数',
      example: '示例',
      elements: (count) => `${count} 个元素`,
      kind: (element) => `本页无法生成 ${element}。`,
      tooLarge: (size, most) => `${size} 超过了允许的 ${most}。请拆分任务。`,
      notWhole: (bytes, element, each) => `${bytes} 字节不是 ${element} 元素（每个 ${each} 字节）的整数倍。`,
      notJson: (why) => `这不是 JSON：${why}`,
      notList: (element) => `${element} 需要一个数字列表。`,
      wrongElement: (index, element) => `第 ${index} 个元素不是适合 ${element} 的数字。`,
      folder: (name) => `${name} 是文件夹：请拖放一个文件。`,
      wantJson: '只有 JSON 文件能填写整个表单。其他文件请拖放到某个字段上。',
      unreadable: (name, why) => `无法读取 ${name}：${why}`
    },
    invalid: {
      empty: '请输入整数。',
      notInteger: '请只用数字输入整数。',
      notNumber: '请输入数字。',
      emptyText: '请填写此项。',
      longText: (most) => `最多 ${most} 个字符。`,
      tooSmall: (least) => `不得小于 ${least}。`,
      tooLarge: (most) => `不得大于 ${most}。`,
      overBalance: (settled) => `超过了你已结算的余额 ${settled} µcr。`,
      issue: issueInChinese
    },
    jobs: '任务列表',
    open: '查看',
    show: (id) => `查看任务 ${id}`,
    busy: '这里一次只能运行一个任务：请等待或取消它。'
  },
  job: {
    title: (id) => `任务 ${id}`,
    states: {
      queued: '正在等待提供者',
      running: '正在运行',
      settling: '正在结算',
      done: '已完成',
      failed: '失败',
      cancelled: '已取消'
    },
    waits: '如果还没有可雇用的节点，一旦有节点出现即会开始。',
    progress: '任务中已检验的部分',
    status: (state, percent) => `${state}，已完成 ${percent}`,
    cancel: '取消任务',
    cancelling: '正在取消',
    log: '事件',
    logDropped: (count) => `更早的 ${count} 个事件未显示。`,
    events: {
      queued: (price, units) => `已计划：${units}，价格 ${price} µcr`,
      hired: (chosen, of) => `从 ${of} 个提供者中选择了 ${chosen} 个`,
      assigned: (unit, peer) => `单元 ${unit} 已发送给 ${peer}`,
      verified: (unit, peer) => `来自 ${peer} 的单元 ${unit} 正确`,
      retried: (unit, peer, reason) => `单元 ${unit} 已从 ${peer} 收回：${reasonInChinese(reason)}`,
      settled: (paid) => `已结算：支付 ${paid} µcr`,
      done: '已完成',
      failed: (code) => `失败：${code}`,
      cancelled: '已取消'
    },
    result: '结果',
    corner: (rows, columns) => `${rows} × ${columns} 的左上角`,
    checksum: 'SHA-256',
    soFar: '目前为止',
    picture: (width, height) => `图像，${width} × ${height} 像素`,
    zoomIn: '放大',
    zoomOut: '缩小',
    zoomHint: '也可以点击图像；按住 Shift 点击则缩小。',
    nearest: (queries) => `${queries} 个查询中第一个的最佳结果`,
    row: '行',
    score: '得分',
    downloads: { png: '图像 (PNG)', bin: '原始字节', json: 'JSON', receipt: '收据 (JSON)' },
    unitStates: (verified, sent, waiting) =>
      `单元：${verified} 个已检验，${sent} 个在计算，${waiting} 个等待中`,
    unknownResult: '本页无法显示此结果。',
    receipt: '收据',
    price: '价格',
    paid: '已支付',
    refund: '退款',
    certainty: '确定性',
    certainties: {
      witnessed: '由付款方的链所指定的见证人以法定人数认证',
      pending: '尚待见证人投票',
      'detection-only': '由收款方签名：之后的双重支付可以被发现，但无法被阻止'
    },
    splits: {
      alone: '全部由一个提供者完成，每个通过检验的单元都已付款。',
      shapley:
        '每个单元的价格在计算它的提供者之间按 Shapley 值分配：即每个提供者在所有可能的先后顺序中平均带来的贡献。只算一次的单元全额付给唯一的提供者；算了两次的单元各得一半。任何人都可以根据结算记录重新算出这一分配。',
      other: (name) => `按规则“${name}”分配。`
    },
    escrow: '托管',
    settle: '结算',
    provider: '提供者',
    units: '单元',
    rejected: '被拒'
  },
  error: {
    code: '代码',
    unknown: '发生了未说明原因的错误。请重新加载页面再试。',
    denied:
      '此浏览器不允许本页保存任何数据，而节点绝不签署无法保存的记录。请允许本页保存网站数据，然后重新启动。',
    clock: '此设备的时钟不准，不会以错误的时间签署任何内容。请校正时钟后再试。',
    said: errorInChinese,
    dismiss: '关闭'
  },
  unitCount: { one: '个单元', other: '个单元' }
}
