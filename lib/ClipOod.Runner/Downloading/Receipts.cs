using System.Text.Encodings.Web;
using System.Text.Json;

namespace ClipOod.Runner.Downloading;

/// <summary>
/// What was fetched into a folder, as <c>fetched.json</c> in it says: for each file its size and SHA-256 as they were when it came, and where
/// from. It is what a file without a published hash is compared with later.
/// </summary>
internal sealed class Receipts
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "fetched.json";

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly SortedDictionary<string, FileReceipt> _files;

    private Receipts(string path, SortedDictionary<string, FileReceipt> files) => (_path, _files) = (path, files);

    /// <summary>Reads the receipts of a folder; there are none where it is new.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static Receipts Of(string folder)
    {
        string path = Path.Combine(folder, FileName);
        SortedDictionary<string, FileReceipt> files = new(StringComparer.Ordinal);
        try
        {
            foreach ((string file, FileReceipt receipt) in File.Exists(path) ? JsonSerializer.Deserialize<Dictionary<string, FileReceipt>>(File.ReadAllText(path), _json) ?? [] : [])
            {
                files.Add(file, receipt);
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is damaged: {e.Message} Delete it: the files are verified anew.", e);
        }

        return new Receipts(path, files);
    }

    /// <summary>Deletes what a process that was ended left of a half-written file of receipts.</summary>
    public static void Tidy(string folder)
    {
        foreach (string file in Directory.Exists(folder) ? Directory.GetFiles(folder, FileName + ".*.tmp") : [])
        {
            File.Delete(file);
        }
    }

    /// <summary>The receipt of a file; null where it has none.</summary>
    /// <param name="file">Its path below the folder, with slashes.</param>
    public FileReceipt? this[string file]
    {
        get
        {
            lock (_lock)
            {
                return _files.GetValueOrDefault(file);
            }
        }
    }

    /// <summary>Adds or replaces a receipt, and writes the file.</summary>
    public void Add(string file, FileReceipt receipt)
    {
        lock (_lock)
        {
            _files[file] = receipt;
            AtomicFile.Write(_path, JsonSerializer.Serialize(_files, _json) + "\n");
        }
    }
}
