using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>The JSON files that say where trained weights come from.</summary>
internal static class ManifestFile
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Reads a manifest.</summary>
    /// <param name="path">The file.</param>
    /// <param name="command">The command that makes it, for the message.</param>
    /// <exception cref="InvalidDataException">It is no such manifest.</exception>
    public static T Load<T>(string path, string command)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(path), _json) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: not a manifest: {e.Message} Get the file anew, or train again with {command}.", e);
        }
    }

    /// <summary>Writes a manifest; it appears under its name when it is complete.</summary>
    public static void Save<T>(string path, T manifest) =>
        AtomicFile.Write(path, JsonSerializer.Serialize(manifest, _json) + "\n");

    /// <summary>SHA-256 of a file, as hexadecimal digits.</summary>
    public static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
