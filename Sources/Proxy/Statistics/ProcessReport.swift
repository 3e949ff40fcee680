import Base
import Config
import Glibc
import NetIO
import Synchronization

/// The lines of `show info`.
struct ProcessReport {
  struct Item {
    var position: Int
    var name: StaticString
    var tags: StaticString
    var value: StatValue
  }

  private(set) var items: [Item] = []
  private var position = 0

  init(_ runtime: Runtime, now: Now) {
    describeProcess(runtime, now)
    describeMemory()
    let workers = runtime.workers.withLock { $0 }
    describeConnections(runtime, workers, now)
    describeTLS(runtime, now)
    describeActivity(runtime, now)
    describeTotals(runtime, workers, now)
  }

  private mutating func add(_ name: StaticString, _ tags: StaticString, _ value: StatValue) {
    items.append(Item(position: position, name: name, tags: tags, value: value))
    position += 1
  }

  private mutating func describeProcess(_ runtime: Runtime, _ now: Now) {
    let seconds = Swift.max(0, Int((now.instant - runtime.started.instant).seconds))
    add("Name", "POSV", .text("HAProxy"))
    add("Version", "POSV", .text(Build.haproxyVersion))
    add("Release_date", "POSV", .text(Build.date))
    add("Nbthread", "CGSV", .u32(runtime.workerCount))
    add("Nbproc", "CGSV", .u32(1))
    add("Process_num", "KGPV", .u32(1))
    add("Pid", "SGPV", .u32(Int(getpid())))
    add("Uptime", "MDPV", .text(ProcessReport.uptime(seconds)))
    add("Uptime_sec", "MDPV", .u32(seconds))
  }

  /// `0d 0h00m24s`
  static func uptime(_ seconds: Int) -> String {
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return "\(seconds / 86400)d \(seconds / 3600 % 24)h\(two(seconds / 60 % 60))m\(two(seconds % 60))s"
  }

  private mutating func describeMemory() {
    add("Memmax_MB", "CLPV", .u32(0))
    let memory = allocatedMemory()
    add("PoolAlloc_MB", "MGPV", .u32(memory.reserved >> 20))
    add("PoolUsed_MB", "MGPV", .u32(memory.used >> 20))
    add("PoolFailed", "MCPV", .u32(0))
  }

  private mutating func describeConnections(_ runtime: Runtime, _ workers: [Worker], _ now: Now) {
    let descriptors = ProcessReport.descriptorLimit
    let requests = runtime.frontends.reduce(0) { $0 + $1.counters.total(.requests) }
    add("Ulimit-n", "CLPV", .u32(descriptors))
    add("Maxsock", "CLPV", .u32(descriptors))
    add("Maxconn", "CLPV", .u32(runtime.limits.connections))
    add("Hard_maxconn", "CLPV", .u32(runtime.maxConnections))
    add("CurrConns", "MGPV", .u32(runtime.connections.current))
    add("CumConns", "MCPV", .u32(runtime.connectionCounter.load(ordering: .relaxed)))
    add("CumReq", "MCPV", .u32(requests))
    add("MaxSslConns", "MMPV", .u32(runtime.global.maxTLSConnections ?? 0))
    add("CurrSslConns", "MGPV", .u32(runtime.tlsConnections.current))
    add("CumSslConns", "MCPV", .u32(runtime.tlsConnectionCounter.load(ordering: .relaxed)))
    add("Maxpipes", "CLPV", .u32(runtime.global.pipeLimit))
    add("PipesUsed", "MGPV", .u32(workers.reduce(0) { $0 + $1.pipes.used }))
    add("PipesFree", "MGPV", .u32(workers.reduce(0) { $0 + $1.pipes.spareCount }))
    let time = now.wall.microseconds
    add("ConnRate", "MRPV", .u32(runtime.connectionRate.perSecond(at: time)))
    add("ConnRateLimit", "CLPV", .u32(runtime.limits.connectionRate))
    add("MaxConnRate", "MMPV", .u32(runtime.connectionRate.maximum))
    add("SessRate", "MRPV", .u32(runtime.sessionRate.perSecond(at: time)))
    add("SessRateLimit", "CLPV", .u32(runtime.limits.sessionRate))
    add("MaxSessRate", "MRPV", .u32(runtime.sessionRate.maximum))
  }

  /// `ulimit -n` of this process.
  static var descriptorLimit: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    return Int(clamping: limit.rlim_cur)
  }

  private mutating func describeTLS(_ runtime: Runtime, _ now: Now) {
    let rate = runtime.tlsRate.perSecond(at: now.wall.microseconds)
    let resumed = runtime.tlsResumptions.perSecond(at: now.wall.microseconds)
    add("SslRate", "MRPV", .u32(rate))
    add("SslRateLimit", "CLPV", .u32(runtime.limits.tlsRate))
    add("MaxSslRate", "MMPV", .u32(runtime.tlsRate.maximum))
    let (time, activity) = (now.wall.microseconds, runtime.activity)
    add("SslFrontendKeyRate", "MGPV", .u32(activity.clientKeys.perSecond(at: time)))
    add("SslFrontendMaxKeyRate", "MMPV", .u32(activity.clientKeys.maximum))
    add("SslFrontendSessionReuse_pct", "MGPV", .u32(rate > 0 ? Swift.min(100, resumed * 100 / rate) : 0))
    add("SslBackendKeyRate", "MRPV", .u32(activity.serverKeys.perSecond(at: time)))
    add("SslBackendMaxKeyRate", "MMPV", .u32(activity.serverKeys.maximum))
    // Which look-ups its sessions cost is known to the TLS library only.
    add("SslCacheLookups", "MCPV", .u32(0))
    add("SslCacheMisses", "MCPV", .u32(0))
    add("CompressBpsIn", "MRPV", .u32(runtime.compressionRate.perSecond(at: time)))
    add("CompressBpsOut", "MRPV", .u32(activity.compressed.perSecond(at: time)))
    add("CompressBpsRateLim", "CLPV", .u32(runtime.limits.compressionRate))
    // HAProxy counts zlib's memory in the next two, when it was built with zlib.
    position += 2
  }

  private mutating func describeActivity(_ runtime: Runtime, _ now: Now) {
    let connections = runtime.connections.current
    add("Tasks", "MGPV", .u32(connections + runtime.workerCount))
    add("Run_queue", "MGPV", .u32(0))
    let activity = runtime.activity
    add("Idle_pct", "MaPV", .u32(activity.idleShare(threads: runtime.workerCount, at: now.instant)))
    add("node", "COSV", .text(runtime.nodeName.string))
    if let text = runtime.global.description {
      add("description", "COSV", .text(text))
    } else {
      position += 1
    }
    add("Stopping", "MGPV", .u32(runtime.isStopping.load(ordering: .relaxed) ? 1 : 0))
    let listeners = runtime.listeners.count + runtime.global.statsSockets.count
    add("Jobs", "MGPV", .u32(connections + listeners))
    add("Unstoppable Jobs", "MGPV", .u32(0))
    add("Listeners", "MGPV", .u32(listeners))
    add("ActivePeers", "MGPV", .u32(activity.peers.load(ordering: .relaxed)))
    add("ConnectedPeers", "MGPV", .u32(activity.establishedPeers.load(ordering: .relaxed)))
    add("DroppedLogs", "MGPV", .u32(runtime.droppedLogs))
    add("BusyPolling", "MGPV", .u32(0))
    add("FailedResolutions", "MGPV", .u32(0))
  }

  private mutating func describeTotals(_ runtime: Runtime, _ workers: [Worker], _ now: Now) {
    let sent = runtime.frontends.reduce(0) { $0 + $1.counters.total(.octetsOut) }
    add("TotalBytesOut", "MGPV", .u64(sent))
    let spliced = runtime.frontends.reduce(0) { $0 + $1.counters.total(.splicedOut) }
    let activity = runtime.activity
    add("TotalSplicedBytesOut", "MGPV", .u64(spliced))
    add("BytesOutRate", "MRPV", .u64(activity.outputRate(sent, at: now.instant)))
    add("DebugCommandsIssued", "MGPV", .u32(0))
    add("CumRecvLogs", "MCPV", .u32(runtime.receivedLogs.load(ordering: .relaxed)))
    add("Build info", "POSV", .text(Build.haproxyVersion))
    add("Memmax_bytes", "CLPV", .u32(0))
    let memory = allocatedMemory()
    add("PoolAlloc_bytes", "MGPV", .u64(memory.reserved))
    add("PoolUsed_bytes", "MGPV", .u64(memory.used))
    add("Start_time_sec", "MDPV", .u32(Int(runtime.started.wall.seconds)))
    add("Tainted", "SGPV", .text("0"))
    add("TotalWarnings", "MCPV", .u32(activity.warnings.load(ordering: .relaxed)))
    add("MaxconnReached", "MCPV", .u32(activity.fullTimes.load(ordering: .relaxed)))
    add("BootTime_ms", "MDPV", .u32(activity.startTime.load(ordering: .relaxed)))
    add("Niced_tasks", "MGPV", .u32(0))
    let streams = runtime.frontends.reduce(0) {
      $0 + ($1.isHTTP ? $1.counters.total(.requests) : $1.counters.total(.sessions))
    }
    add("CurrStreams", "MGPV", .u64(workers.reduce(0) { $0 + $1.streamCount.load(ordering: .relaxed) }))
    add("CumStreams", "MGPV", .u64(streams))
    add("BlockedTrafficWarnings", "MGPV", .u32(0))
    add("PatternsAdded", "MGPV", .u64(0))
    add("PatternsFreed", "MGPV", .u64(0))
    add("NbThreadGroups", "CGSV", .u32(1))
  }
}

extension Runtime {
  /// Messages that no log socket took.
  var droppedLogs: Int {
    let all = [processLog] + frontends.map(\.log) + backends.map(\.log)
    return all.reduce(0) { $0 + $1.dropped.load(ordering: .relaxed) }
  }
}

extension GlobalSettings {
  /// Pipes of all workers together.
  var pipeLimit: Int { splices ? maxPipes ?? 512 : 0 }
}
