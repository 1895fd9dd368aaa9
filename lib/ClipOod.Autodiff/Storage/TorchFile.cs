using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace ClipOod.Autodiff;

/// <summary>
/// An open file of PyTorch's: a zip of torch.save (1.6 and later), the stream that it wrote before, an archive of TorchScript, or a pickle
/// of protocol 4 that holds tensors. Nothing in it is executed. Its tensors are views into the mapped file until it is disposed.
/// </summary>
/// <remarks>
/// Formats: PyTorch's serialization.py and _weights_only_unpickler.py (1.13 to 2.x). Nothing in a file is trusted: names, opcodes, records,
/// shapes, strides and storages are checked before a tensor is handed out. Checksums of records are not: a copy is verified by its hash.
/// </remarks>
internal sealed class TorchFile : IDisposable
{
    /// <summary>The name of a tensor that a file holds by itself, as torch.save(tensor) writes it.</summary>
    public const string SingleName = "tensor";

    private const int MaxDepth = 64;
    private const int MaxNameLength = 1024;
    private const int MaxValues = 1 << 20;

    private static readonly BigInteger _legacyMagic = BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private readonly MappedFile _file;
    private readonly SortedDictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Text)> _texts = [];
    private int _values;

    private TorchFile(MappedFile file) => _file = file;

    /// <summary>The path that was opened.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors' names, sorted: keys, places in lists and attributes on the way to them, joined by dots.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>A tensor by name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is none of this name; the message lists those there are.</exception>
    public SafetensorsTensor this[string name] => Find(name) ?? throw Invalid($"has no tensor '{name}', it has: {string.Join(", ", Names)}.");

    /// <summary>Maps a file into memory and reads what it says of its tensors. Dispose the result to close the file.</summary>
    /// <param name="path">A .pt, .pth, .bin or .pkl file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is truncated or none of these formats, asks for names or opcodes that files of tensors do not need, or its tensors lie
    /// beyond their storages. The message names the file.
    /// </exception>
    public static TorchFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        TorchFile file = new(new MappedFile(path));
        try
        {
            file.Add(file.ReadRoot(), SingleName, prefix: "", depth: 0);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A tensor by name; null where there is none.</summary>
    /// <param name="name">Any name.</param>
    public SafetensorsTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>The texts of a list of texts, or of lists of them, in their order: labels that stand beside the tensors.</summary>
    /// <param name="name">The list's name, as a tensor there would have it.</param>
    /// <exception cref="InvalidDataException">There are none.</exception>
    public IReadOnlyList<string> TextsOf(string name) =>
        _texts.Where(text => text.Name.StartsWith($"{name}.", StringComparison.Ordinal)).Select(text => text.Text).ToArray() is { Length: > 0 } texts
            ? texts
            : throw Invalid($"has no texts '{name}'.");

    /// <summary>Closes the file; its tensors can no longer be read.</summary>
    public void Dispose() => _file.Dispose();

    private object? ReadRoot()
    {
        byte[] begin = _file.Slice(0, (int)Math.Min(_file.Length, 262)).ToArray();
        return begin switch
        {
            [(byte)'P', (byte)'K', 3, 4, ..] => ReadZip(new TorchZip(_file)),
            [0x80, 2, ..] => ReadLegacy(0, _file.Length),
            [0x80, 4, ..] => new TorchPickle(_file, 0, _file.Length, protocol: 4, "the pickle", storage: null, ReadNested).Load(),
            [.., (byte)'u', (byte)'s', (byte)'t', (byte)'a', (byte)'r'] => throw Invalid("was written by a PyTorch before 0.1.10: load it with PyTorch and save it again."),
            _ => throw Invalid($"begins with {(begin.Length == 0 ? "nothing" : Convert.ToHexString(begin.AsSpan(0, Math.Min(8, begin.Length))))}, expected a zip file, a stream "
                + "of torch.save or a pickle of protocol 4. It is truncated or no torch file: fetch or make it again."),
        };
    }

    private object? ReadZip(TorchZip zip)
    {
        (long at, long length) = zip.Find("data.pkl") ?? throw Invalid("has no record 'data.pkl': it is a zip file of something else than tensors.");
        bool isBigEndian = zip.Find("byteorder") is { Length: 3 } order && _file.Slice(order.Offset, 3).SequenceEqual("big"u8);
        Dictionary<string, TorchStorage> storages = [];
        return new TorchPickle(_file, at, at + length, protocol: 2, "data.pkl", id => ReadStorage(id, storages, (storage, key) =>
        {
            (long offset, long bytes) = zip.Find($"data/{key}") ?? throw Invalid($"has no record 'data/{key}', which a tensor lies in.");
            RequireBytes(storage, key, bytes);
            (storage.Offset, storage.IsBigEndian) = (offset, isBigEndian);
        })).Load();
    }

    /// <summary>Pickles in a row (a magic number, a version, the machine, the values, the storages' keys), then the storages.</summary>
    private object? ReadLegacy(long start, long end)
    {
        Dictionary<string, TorchStorage> storages = [];
        TorchPickle pickle = new(_file, start, end, protocol: 2, "the stream", id => ReadStorage(id, storages));
        if (pickle.Load() is not BigInteger magic || magic != _legacyMagic)
        {
            throw Invalid("is a pickle of something else than tensors: expected the magic number of torch.save.");
        }

        if (pickle.Load() is not 1001L)
        {
            throw Invalid("is a stream of torch.save of another version than 1001.");
        }

        bool isBigEndian = pickle.Load() is OrderedDictionary<object, object?> machine && machine.GetValueOrDefault("little_endian") is false;
        object? root = pickle.Load();
        if (pickle.Load() is not List<object?> keys)
        {
            throw Invalid("has no list of storages after its values.");
        }

        long at = pickle.Position;
        HashSet<string> read = new(StringComparer.Ordinal);
        foreach (object? key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out TorchStorage? storage) || !read.Add(name))
            {
                throw Invalid($"lists the storage '{key}', which no tensor lies in, or lists it twice.");
            }

            if (end - at < sizeof(long) || BinaryPrimitives.ReadInt64LittleEndian(_file.Slice(at, sizeof(long))) is var count && count != storage.Count)
            {
                throw Invalid($"has no {storage.Count} elements of storage '{name}' at {at}, as its tensors say. The file is truncated: fetch or make it again.");
            }

            at += sizeof(long);
            RequireBytes(storage, name, end - at);
            (storage.Offset, storage.IsBigEndian) = (at, isBigEndian);
            at += storage.Count * storage.Element.Size;
        }

        return read.Count == storages.Count ? root : throw Invalid($"lists {read.Count} storages, expected the {storages.Count} that its tensors lie in.");
    }

    /// <summary>A storage that was pickled by itself is a whole stream within the pickle.</summary>
    private TorchStorage ReadNested(TorchBytes bytes) => ReadLegacy(bytes.Offset, bytes.Offset + bytes.Length) is TorchStorage storage
        ? storage
        : throw Invalid("has a stream within its pickle that is no storage.");

    /// <summary>The storage of a persistent id: ('storage', class, key, location, number of elements[, view]).</summary>
    private TorchStorage ReadStorage(object?[] id, Dictionary<string, TorchStorage> storages, Action<TorchStorage, string>? place = null)
    {
        if (id is not (["storage", TorchGlobal, string, _, long] or ["storage", TorchGlobal, string, _, long, _])
            || TorchElement.OfStorage(((TorchGlobal)id[1]!).Name) is not { } element || (long)id[4]! < 0)
        {
            throw Invalid("has a persistent id that is none of a storage: expected ('storage', class, key, location, number of elements).");
        }

        if (id is [.., object?[]])
        {
            throw Invalid("has a storage within a storage, as PyTorch before 0.4 wrote it: load it with PyTorch and save it again.");
        }

        string key = (string)id[2]!;
        if (storages.TryGetValue(key, out TorchStorage? known))
        {
            return known.Element == element && known.Count == (long)id[4]! ? known : throw Invalid($"has two different storages '{key}'.");
        }

        TorchStorage storage = new(element, (long)id[4]!);
        place?.Invoke(storage, key);
        storages.Add(key, storage);
        return storage;
    }

    private void RequireBytes(TorchStorage storage, string key, long bytes)
    {
        if (storage.Count > bytes / storage.Element.Size)
        {
            throw Invalid($"has {bytes} bytes for the storage '{key}', expected {storage.Count} elements of {storage.Element.Size}. The file is truncated: fetch or make it again.");
        }
    }

    /// <summary>Adds the tensors of a value, under the names on the way to them.</summary>
    private void Add(object? value, string name, string prefix, int depth)
    {
        if (depth > MaxDepth || name.Length > MaxNameLength || ++_values > MaxValues)
        {
            throw Invalid($"nests deeper than {MaxDepth}, has a name longer than {MaxNameLength}, or more than {MaxValues} values: it is no file of tensors.");
        }

        switch (value)
        {
            case TorchView view when !_tensors.TryAdd(name, Tensor(name, view)):
                throw Invalid($"has two tensors '{name}'.");
            case string text:
                _texts.Add((name, text));
                break;
            case OrderedDictionary<object, object?> dictionary:
                foreach ((object key, object? entry) in dictionary)
                {
                    string own = prefix + Convert.ToString(key, CultureInfo.InvariantCulture);
                    Add(entry, own, $"{own}.", depth + 1);
                }

                break;
            case TorchObject scripted:
                Add(scripted.State, name, prefix, depth + 1);
                break;
            case object?[] or List<object?>:
                int at = 0;
                foreach (object? entry in (IEnumerable<object?>)value)
                {
                    string own = string.Create(CultureInfo.InvariantCulture, $"{prefix}{at++}");
                    Add(entry, own, $"{own}.", depth + 1);
                }

                break;
        }
    }

    private SafetensorsTensor Tensor(string name, TorchView view)
    {
        TorchElement element = view.Element;
        if (element.Type is not { } type)
        {
            throw Invalid($"has tensor '{name}' of {element.Name}, which is not read here: save it in another type.");
        }

        int[] shape = [.. view.Shape.Select(extent => (int)extent)];
        bool isPlain = !view.Storage.IsBigEndian && element.Size == SafetensorsTensor.SizeOf(type) && IsRowMajor(view);
        return new(name, type, shape, _file, view.Storage.Offset + (view.Offset * element.Size), isPlain ? null : () => Arrange(view, type));
    }

    private static bool IsRowMajor(TorchView view)
    {
        long stride = 1;
        for (int axis = view.Shape.Length - 1; axis >= 0; axis--)
        {
            if (view.Shape[axis] != 1 && view.Strides[axis] != stride)
            {
                return view.Shape.Contains(0);
            }

            stride *= view.Shape[axis];
        }

        return true;
    }

    /// <summary>The elements row by row, in this machine's order of bytes, as wide as the type.</summary>
    private byte[] Arrange(TorchView view, SafetensorsType type)
    {
        int size = view.Element.Size;
        int width = SafetensorsTensor.SizeOf(type);
        long count = view.Shape.Aggregate(1L, (product, extent) => product * extent);
        byte[] result = new byte[count * width];
        long[] index = new long[view.Shape.Length];
        long from = view.Storage.Offset + (view.Offset * size);
        for (long i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> stored = _file.Slice(from, size);
            Span<byte> element = result.AsSpan((int)(i * width), width);
            stored.CopyTo(element);
            if (view.Storage.IsBigEndian)
            {
                element[..size].Reverse();
            }

            if (width > size)
            {
                element[size..].Fill((byte)(element[size - 1] >= 0x80 ? 0xFF : 0));
            }

            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                from += view.Strides[axis] * size;
                if (++index[axis] < view.Shape[axis])
                {
                    break;
                }

                from -= view.Strides[axis] * size * index[axis];
                index[axis] = 0;
            }
        }

        return result;
    }

    private InvalidDataException Invalid(string problem) => new($"{Path}: {problem}");
}
