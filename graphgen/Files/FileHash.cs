using System.Security.Cryptography;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Tells whether a file is the one that another file was written for.</summary>
internal static class FileHash
{
    /// <summary>The SHA-256 of a file's bytes, in lower-case hexadecimal digits.</summary>
    /// <exception cref="LortaException">LRT103: not readable.</exception>
    public static string Sha256(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }
}
