import Base
import Glibc

/// crypt(3) of the system's libcrypt, which is looked for when a hashed password is first met: a machine without
/// it can still use everything else.
enum PasswordHash {
  private typealias Function =
    @convention(c) (
      UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<CChar>?

  /// `struct crypt_data` of glibc is 128 KiB and a little, of libxcrypt 32 KiB.
  private static let workSize = 256 * 1024

  private static let function: Function? = {
    guard let library = dlopen("libcrypt.so.1", RTLD_NOW) ?? dlopen("libcrypt.so.2", RTLD_NOW),
      let symbol = dlsym(library, "crypt_r")
    else { return nil }
    return unsafeBitCast(symbol, to: Function.self)
  }()

  static var isAvailable: Bool { CryptographyHooks.current.verifyPassword != nil || function != nil }

  /// Whether `password` is the one behind `hash`.
  static func verify(_ password: Bytes, _ hash: Bytes) -> Bool {
    if let hook = CryptographyHooks.current.verifyPassword { return hook(password, hash) }
    // A NUL would end the password early for crypt(3).
    guard let function, password.firstIndex(of: 0) == nil, hash.firstIndex(of: 0) == nil else { return false }
    let key = password.array.map { CChar(bitPattern: $0) } + [0]
    let salt = hash.array.map { CChar(bitPattern: $0) } + [0]
    guard let work = calloc(1, workSize) else { return false }
    defer { free(work) }
    guard let result = function(key, salt, work) else { return false }
    return SecureCompare.equal(Bytes(String(cString: result)), hash)
  }
}
