import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 001: Git over SSH", .enabled(if: Tool.has("sshd", "ssh", "git"))) struct GitOverSSH {
    @Test("ssh runs a command and git clones and pushes through the gateway")
    func clone() throws {
      let workspace = try Workspace()
      let port = try Ports.free()
      let sshd = try Services.sshd(in: workspace)
      let seed = try Seed(
        "001-git-ssh.cfg", [("comue-lb:22", "127.0.0.1:\(port)"), ("1.3.3.7:22", "127.0.0.1:\(sshd.port)")])
      let gateway = try RunningGateway(seed.text, listening: [port], in: workspace)
      let user = String(cString: getpwuid(getuid()).pointee.pw_name)
      let ssh = [
        "ssh", "-F", "none", "-i", sshd.identity, "-p", "\(port)", "-o", "StrictHostKeyChecking=no", "-o",
        "UserKnownHostsFile=\(workspace.path("known"))", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
      ]
      #expect(
        try Tool.succeed(ssh + ["\(user)@127.0.0.1", "echo through $((6*7))"], in: workspace)
          == "through 42\n")

      let git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
      let environment = ["GIT_SSH_COMMAND": ssh.joined(separator: " "), "GIT_CONFIG_GLOBAL": "/dev/null"]
      let remote = "ssh://\(user)@127.0.0.1:\(port)\(workspace.path("repository"))"
      try Tool.succeed(git + ["init", "-q", "--bare", workspace.path("repository")], in: workspace)
      try Tool.succeed(git + ["clone", "-q", remote, "work"], in: workspace, environment: environment)
      try Tool.succeed(["openssl", "rand", "-out", "work/blob", "3000000"], in: workspace)
      try Tool.succeed(git + ["-C", "work", "add", "blob"], in: workspace)
      try Tool.succeed(git + ["-C", "work", "commit", "-q", "-m", "blob"], in: workspace)
      try Tool.succeed(
        git + ["-C", "work", "push", "-q", "origin", "HEAD:main"], in: workspace, environment: environment)
      try Tool.succeed(
        git + ["clone", "-q", "-b", "main", remote, "again"], in: workspace, environment: environment)
      try Tool.succeed(["cmp", "work/blob", "again/blob"], in: workspace)
      withExtendedLifetime((gateway, sshd.child)) {}
    }
  }
}
