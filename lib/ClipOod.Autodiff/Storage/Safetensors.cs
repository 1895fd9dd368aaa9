using System.Buffers.Binary;
using System.Text.Json;

namespace ClipOod.Autodiff;

/// <summary>
/// Reads and writes the safetensors format: an 8-byte little-endian header length, a JSON header that maps tensor names to
/// dtype, shape and data_offsets (and <c>__metadata__</c> to strings), then the tensors' bytes without gaps.
/// </summary>
/// <remarks>
/// Format: huggingface/safetensors. Nothing in a file is trusted: the header, every shape and every offset is checked
/// before a tensor is handed out.
/// </remarks>
public static class Safetensors
{
    internal const int PrefixLength = sizeof(ulong);

    /// <summary>The reference reader's limit on headers, 100 MB: a larger length is a broken file, not a large one.</summary>
    internal const long MaxHeaderLength = 100_000_000;

    internal const string MetadataKey = "__metadata__";

    /// <summary>Maps a file into memory and checks its header. Dispose the result to close the file.</summary>
    /// <param name="path">A .safetensors file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is truncated, its header is no valid JSON or lies about lengths, shapes or offsets, a name occurs twice, or an
    /// element type is none of <see cref="SafetensorsType"/>. The message names the file.
    /// </exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new SafetensorsFile(new MappedFile(path));
    }

    /// <summary>
    /// Writes a file: to a temporary name beside it first, then renamed, so that no half-written file ever has the final name.
    /// An existing file is replaced. The same content gives the same bytes.
    /// </summary>
    /// <param name="path">The file to write; its folder must exist.</param>
    /// <param name="tensors">Tensors of distinct names, in any order.</param>
    /// <param name="metadata">Free text by key, such as the data set and its source.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a name is <c>__metadata__</c>.</exception>
    public static void Write(
        string path, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);

        // Wide elements first keeps every tensor aligned; the name makes the order, and so the bytes, reproducible.
        SafetensorsTensor[] ordered =
        [
            .. tensors.OrderByDescending(t => SafetensorsTensor.SizeOf(t.DType)).ThenBy(t => t.Name, StringComparer.Ordinal),
        ];
        string? repeated = ordered.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        if (repeated is not null || ordered.Any(t => t.Name == MetadataKey))
        {
            throw new ArgumentException(
                repeated is null ? $"'{MetadataKey}' is reserved, name the tensor otherwise." : $"Two tensors are named '{repeated}'.",
                nameof(tensors));
        }

        byte[] header = WriteHeader(ordered, metadata);
        AtomicFile.Write(path, temporary =>
        {
            using FileStream stream = new(temporary, FileMode.CreateNew);
            Span<byte> prefix = stackalloc byte[PrefixLength];
            BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (SafetensorsTensor tensor in ordered)
            {
                tensor.WriteTo(stream);
            }
        });
    }

    private static byte[] WriteHeader(SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach (SafetensorsTensor tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.DType.ToString());
                WriteNumbers(json, "shape", tensor.Shape.Select(extent => (long)extent));
                WriteNumbers(json, "data_offsets", [offset, offset += tensor.ByteCount]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Trailing spaces, which the format allows, so that the data start at a multiple of 8 bytes.
        while (stream.Length % PrefixLength != 0)
        {
            stream.WriteByte((byte)' ');
        }

        return stream.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}

/// <summary>An open safetensors file: its tensors are views into the mapped file until it is disposed.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly SortedDictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);

    internal SafetensorsFile(MappedFile file)
    {
        _file = file;
        try
        {
            Metadata = ReadHeader();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path that was opened.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors' names, sorted.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>The file's free text by key; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    private static string Truncated => "The file is truncated or no safetensors file: fetch or make it again.";

    /// <summary>A tensor by name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is none of this name; the message lists those there are.</exception>
    public SafetensorsTensor this[string name] =>
        _tensors.TryGetValue(name, out SafetensorsTensor? tensor)
            ? tensor
            : throw Invalid($"has no tensor '{name}', it has: {string.Join(", ", Names)}.");

    /// <summary>Whether the file has a tensor of this name.</summary>
    /// <param name="name">Any name.</param>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>Closes the file; its tensors can no longer be read.</summary>
    public void Dispose() => _file.Dispose();

    private Dictionary<string, string> ReadHeader()
    {
        long length = _file.Length;
        if (length < Safetensors.PrefixLength)
        {
            throw Invalid($"has {length} bytes, expected at least the {Safetensors.PrefixLength} bytes of the header length. {Truncated}");
        }

        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(_file.Slice(0, Safetensors.PrefixLength));
        if (headerLength > (ulong)Math.Min(length - Safetensors.PrefixLength, Safetensors.MaxHeaderLength))
        {
            throw Invalid(
                $"says that its header has {headerLength} bytes, expected at most {length - Safetensors.PrefixLength} " +
                $"in a file of {length} bytes (and never more than {Safetensors.MaxHeaderLength}). {Truncated}");
        }

        long dataStart = Safetensors.PrefixLength + (long)headerLength;
        try
        {
            // A copy, as JsonDocument reads memory and not spans; headers are small.
            using JsonDocument header = JsonDocument.Parse(
                _file.Slice(Safetensors.PrefixLength, (int)headerLength).ToArray(),
                new JsonDocumentOptions { AllowDuplicateProperties = false });
            return ReadHeader(header.RootElement, dataStart, length - dataStart);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{Path}: the header is not valid JSON without repeated names: {error.Message}", error);
        }
    }

    private Dictionary<string, string> ReadHeader(JsonElement header, long dataStart, long dataLength)
    {
        Require(header, JsonValueKind.Object, "the header");
        Dictionary<string, string> metadata = [];
        List<(long Begin, long End, string Name)> ranges = [];
        foreach (JsonProperty property in header.EnumerateObject())
        {
            if (property.Name == Safetensors.MetadataKey)
            {
                foreach (JsonProperty entry in Require(property.Value, JsonValueKind.Object, Safetensors.MetadataKey).EnumerateObject())
                {
                    metadata[entry.Name] = Require(entry.Value, JsonValueKind.String, $"metadata '{entry.Name}'").GetString()!;
                }
            }
            else
            {
                (long begin, long end) = ReadTensor(property.Name, property.Value, dataStart, dataLength);
                ranges.Add((begin, end, property.Name));
            }
        }

        long covered = 0;
        foreach ((long begin, long end, string name) in ranges.Order())
        {
            if (begin != covered)
            {
                throw Invalid($"has tensor '{name}' at byte {begin} of the data, expected byte {covered}: "
                    + (begin < covered ? "it overlaps another tensor." : "there is a gap before it."));
            }

            covered = end;
        }

        return covered == dataLength
            ? metadata
            : throw Invalid($"holds {dataLength} bytes of data, expected the {covered} that its header describes. {Truncated}");
    }

    private (long Begin, long End) ReadTensor(string name, JsonElement entry, long dataStart, long dataLength)
    {
        string what = $"tensor '{name}'";
        Require(entry, JsonValueKind.Object, what);
        string dtype = Require(Field(entry, "dtype", what), JsonValueKind.String, $"dtype of {what}").GetString()!;
        if (!Array.Exists(Enum.GetNames<SafetensorsType>(), known => known == dtype))
        {
            throw Invalid($"has {what} of dtype '{dtype}', expected one of {string.Join(", ", Enum.GetNames<SafetensorsType>())}.");
        }

        SafetensorsType type = Enum.Parse<SafetensorsType>(dtype);
        long[] shape = ReadNumbers(Field(entry, "shape", what), $"shape of {what}");
        long[] offsets = ReadNumbers(Field(entry, "data_offsets", what), $"data_offsets of {what}");
        if (offsets.Length != 2 || offsets[0] > offsets[1] || offsets[1] > dataLength)
        {
            throw Invalid($"has data_offsets [{string.Join(", ", offsets)}] for {what}, expected [begin, end] with "
                + $"begin <= end <= {dataLength}, the bytes of data in the file. {Truncated}");
        }

        Int128 bytes = SafetensorsTensor.SizeOf(type);
        foreach (long extent in shape)
        {
            // Stops at the first product beyond any file, so that no later extent can wrap it around or multiply it to 0.
            bytes = extent <= int.MaxValue && bytes <= long.MaxValue
                ? bytes * extent
                : throw Invalid($"has {what} of shape [{string.Join(", ", shape)}], which is beyond what a file can hold.");
        }

        if (bytes != offsets[1] - offsets[0])
        {
            throw Invalid($"gives {what} {offsets[1] - offsets[0]} bytes, expected {bytes} for {dtype} of shape [{string.Join(", ", shape)}].");
        }

        _tensors.Add(name, new SafetensorsTensor(name, type, [.. shape.Select(extent => (int)extent)], _file, dataStart + offsets[0]));
        return (offsets[0], offsets[1]);
    }

    private long[] ReadNumbers(JsonElement array, string what) =>
    [
        .. Require(array, JsonValueKind.Array, what).EnumerateArray().Select(element =>
            element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long number) && number >= 0
                ? number
                : throw Invalid($"has {element.GetRawText()} in the {what}, expected whole numbers from 0 to {long.MaxValue}.")),
    ];

    private JsonElement Field(JsonElement entry, string name, string what) =>
        entry.TryGetProperty(name, out JsonElement field) ? field : throw Invalid($"has no {name} for {what}.");

    private JsonElement Require(JsonElement element, JsonValueKind kind, string what) =>
        element.ValueKind == kind ? element : throw Invalid($"has {element.ValueKind} as {what}, expected {kind}.");

    private InvalidDataException Invalid(string problem) => new($"{Path}: {problem}");
}
