using System.Text.Json;

namespace ClipOod.Autodiff;

/// <summary>
/// The tensors of a model kept in one safetensors file, or in several that an index file
/// (<c>model.safetensors.index.json</c>) lists. They are views into the mapped files until it is disposed.
/// </summary>
public sealed class SafetensorsShards : IDisposable
{
    private const string IndexSuffix = ".index.json";

    private readonly List<SafetensorsFile> _files = [];
    private readonly SortedDictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);

    private SafetensorsShards(string path) => Path = path;

    /// <summary>The path that was opened.</summary>
    public string Path { get; }

    /// <summary>The files that hold the tensors, sorted by path.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>The tensors' names, sorted.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Free text by key of the first file that has any.</summary>
    public IReadOnlyDictionary<string, string> Metadata =>
        (_files.Find(file => file.Metadata.Count > 0) ?? _files[0]).Metadata;

    /// <summary>A tensor by name; null where there is none.</summary>
    /// <param name="name">Any name.</param>
    public SafetensorsTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Opens a safetensors file, or the files that an index lists. Dispose the result to close them.</summary>
    /// <param name="path">A .safetensors file or a .safetensors.index.json beside its files.</param>
    /// <exception cref="FileNotFoundException">There is no such file, or not every file of the index.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is refused by <see cref="Safetensors.Open"/>, the index has no weight_map from tensors to names of files beside it,
    /// or a file lacks a tensor that the index places there.
    /// </exception>
    public static SafetensorsShards Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafetensorsShards shards = new(path);
        try
        {
            if (path.EndsWith(IndexSuffix, StringComparison.Ordinal))
            {
                shards.AddIndexed();
            }
            else
            {
                shards.Add(Safetensors.Open(path));
            }

            return shards;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    /// <summary>Closes the files; their tensors can no longer be read.</summary>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (string name in file.Names)
        {
            if (!_tensors.TryAdd(name, file[name]))
            {
                throw new InvalidDataException($"{Path}: tensor '{name}' is in more than one of its files.");
            }
        }
    }

    private void AddIndexed()
    {
        Dictionary<string, string> fileOf = ReadIndex();
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        foreach (string name in fileOf.Values.Distinct().Order(StringComparer.Ordinal))
        {
            Add(Safetensors.Open(System.IO.Path.Combine(folder, name)));
        }

        string[] lacking = [.. fileOf.Where(entry => !_tensors.ContainsKey(entry.Key)).Select(entry => $"'{entry.Key}' in {entry.Value}").Order(StringComparer.Ordinal)];
        if (lacking.Length > 0)
        {
            throw new InvalidDataException($"{Path}: the index lists tensors that its files do not hold: {string.Join(", ", lacking)}. Fetch the files again.");
        }
    }

    private Dictionary<string, string> ReadIndex()
    {
        if (!File.Exists(Path))
        {
            throw new FileNotFoundException($"There is no file '{Path}'. Check the path.", Path);
        }

        try
        {
            using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(Path));
            Dictionary<string, string> fileOf = [];
            foreach (JsonProperty entry in index.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                string file = entry.Value.GetString() ?? "";

                // An index speaks of files beside it and of no others.
                fileOf[entry.Name] = file.Length > 0 && System.IO.Path.GetFileName(file) == file
                    ? file
                    : throw new InvalidDataException($"{Path}: the index places tensor '{entry.Name}' in '{file}', expected the name of a file beside it.");
            }

            return fileOf.Count > 0 ? fileOf : throw new InvalidDataException($"{Path}: the index lists no tensors.");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{Path}: expected JSON with a weight_map from tensor names to file names: {error.Message}", error);
        }
    }
}
