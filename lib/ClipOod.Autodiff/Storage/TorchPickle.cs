using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ClipOod.Autodiff;

/// <summary>
/// Reads the pickles of torch files and executes nothing: a name is a symbol, a call is one of a handful of known ones that make a view
/// of a storage or an empty dictionary, and every other name or opcode is refused.
/// </summary>
/// <remarks>
/// Opcodes: Python's pickletools, those that PyTorch's own weights_only loader takes (protocol 2), and with
/// <paramref name="protocol"/> 4 those that pickle.dump adds. Values are null, bool, long, BigInteger, double, string, object?[] (tuples),
/// List (lists), OrderedDictionary and the Torch... types.
/// </remarks>
/// <param name="file">The file.</param>
/// <param name="start">Where the first pickle begins.</param>
/// <param name="end">Where reading stops.</param>
/// <param name="protocol">The protocol that the file has to be of, 2 or 4.</param>
/// <param name="what">What to call the pickle in messages.</param>
/// <param name="storage">Answers a persistent id; null where there can be none.</param>
/// <param name="nested">Reads a storage that was saved as a file within the pickle; null where there can be none.</param>
internal sealed class TorchPickle(
    MappedFile file, long start, long end, int protocol, string what, Func<object?[], TorchStorage>? storage, Func<TorchBytes, TorchStorage>? nested = null)
{
    // Far beyond any checkpoint's, to bound time and memory: a state dictionary takes about 60 opcodes for a tensor.
    private const int MaxOperations = 1 << 22;
    private const int MaxText = 1 << 24;
    private const int MaxRank = 32;

    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _operations;

    /// <summary>Where the next byte is read.</summary>
    public long Position { get; private set; } = start;

    /// <summary>Reads one pickle.</summary>
    /// <exception cref="InvalidDataException">It is broken, or asks for what is not known here.</exception>
    public object? Load()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        while (true)
        {
            if (++_operations > MaxOperations)
            {
                throw Invalid($"takes more than {MaxOperations} opcodes, which no file of tensors does.");
            }

            byte opcode = Bytes(1)[0];
            if (opcode == '.')
            {
                object? result = Pop();
                return _stack.Count == 0 ? result : throw Invalid("ends with values left over.");
            }

            Step(opcode);
        }
    }

    /// <summary>Whole numbers of a tuple or list; null where it is none, or holds something else.</summary>
    internal static long[]? Longs(object? value)
    {
        IReadOnlyList<object?>? values = value as object?[] ?? (IReadOnlyList<object?>?)(value as List<object?>);
        return values is not null && values.Count <= MaxRank && values.All(v => v is long) ? [.. values.Cast<long>()] : null;
    }

    private void Step(byte opcode)
    {
        switch (opcode)
        {
            case 0x80 when Bytes(1)[0] is var found:
                if (found != protocol)
                {
                    throw Invalid($"is of pickle protocol {found}, expected {protocol}" + (protocol == 2 ? ", that of torch.save: save the tensors again without pickle_protocol." : "."));
                }

                break;
            case (byte)'(':
                _marks.Add(_stack.Count);
                break;
            case (byte)'N':
                Push(null);
                break;
            case 0x88:
                Push(true);
                break;
            case 0x89:
                Push(false);
                break;
            case (byte)'K':
                Push((long)Bytes(1)[0]);
                break;
            case (byte)'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)));
                break;
            case (byte)'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)));
                break;
            case 0x8A:
                BigInteger number = new(Bytes(Bytes(1)[0]));
                Push(number >= long.MinValue && number <= long.MaxValue ? (long)number : number);
                break;
            case (byte)'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8)));
                break;
            case (byte)'X':
                Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))));
                break;
            case (byte)'U':
                Push(Text(Bytes(1)[0]));
                break;
            case (byte)')':
                Push(Array.Empty<object?>());
                break;
            case (byte)']' or 0x8F:
                Push(new List<object?>());
                break;
            case (byte)'}':
                Push(new OrderedDictionary<object, object?>());
                break;
            case (byte)'t':
                Push(PopToMark());
                break;
            case 0x85 or 0x86 or 0x87:
                object?[] tuple = new object?[opcode - 0x84];
                for (int i = tuple.Length - 1; i >= 0; i--)
                {
                    tuple[i] = Pop();
                }

                Push(tuple);
                break;
            case (byte)'q':
                _memo[Bytes(1)[0]] = Peek();
                break;
            case (byte)'r':
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))] = Peek();
                break;
            case (byte)'h':
                Push(Recall(Bytes(1)[0]));
                break;
            case (byte)'j':
                Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))));
                break;
            case (byte)'a':
                object? item = Pop();
                Peek<List<object?>>("a list to append to").Add(item);
                break;
            case (byte)'e':
                object?[] items = PopToMark();
                Peek<List<object?>>("a list to append to").AddRange(items);
                break;
            case (byte)'s':
                object? value = Pop();
                Set([Pop(), value]);
                break;
            case (byte)'u':
                Set(PopToMark());
                break;
            case (byte)'c':
                PushGlobal(Line(), Line());
                break;
            case (byte)'Q' when storage is not null:
                Push(storage(Pop<object?[]>("a persistent id")));
                break;
            case (byte)'R':
                object?[] arguments = Pop<object?[]>("the arguments of a call");
                Push(Call(Pop<TorchGlobal>("a function").Name, arguments));
                break;
            case 0x81:
                object?[] none = Pop<object?[]>("the arguments of a class");
                string name = Pop<TorchGlobal>("a class").Name;
                Push(IsScript(name) && none.Length == 0 ? new TorchObject() : throw Invalid($"makes an object of {name} with {none.Length} arguments, expected TorchScript's with none."));
                break;
            case (byte)'b':
                Build(Pop());
                break;
            case 0x95 when protocol == 4:
                Bytes(8);
                break;
            case 0x94 when protocol == 4:
                _memo[(uint)_memo.Count] = Peek();
                break;
            case 0x8C when protocol == 4:
                Push(Text(Bytes(1)[0]));
                break;
            case 0x93 when protocol == 4:
                string last = Pop<string>("a name");
                PushGlobal(Pop<string>("a module"), last);
                break;
            case (byte)'B' when protocol == 4:
                PushBytes(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)));
                break;
            case (byte)'C' when protocol == 4:
                PushBytes(Bytes(1)[0]);
                break;
            case 0x8E when protocol == 4:
                PushBytes(BinaryPrimitives.ReadInt64LittleEndian(Bytes(8)));
                break;
            default:
                throw Invalid($"has the opcode 0x{opcode:X2}, which files of tensors do not need. Nothing of it was run; save only the state_dict, with torch.save.");
        }
    }

    private static bool IsScript(string global) => global.StartsWith("__torch__.", StringComparison.Ordinal);

    private void PushGlobal(string module, string name)
    {
        string global = $"{module}.{name}";
        bool known = IsScript(global) || TorchElement.OfStorage(global) is not null || TorchElement.OfType(global) is not null || global is
            "collections.OrderedDict" or "torch.Size" or "torch.device" or "torch.nn.parameter.Parameter" or
            "torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2" or "torch._utils._rebuild_tensor_v3" or "torch._utils._rebuild_parameter"
            || (nested is not null && global == "torch.storage._load_from_bytes");
        Push(known ? new TorchGlobal(global) : throw Invalid(
            $"asks for '{global}', which files of tensors do not need. Nothing of it was run; where you trust it, open it with PyTorch and save its state_dict alone."));
    }

    private object? Call(string function, object?[] arguments) => (function, arguments) switch
    {
        ("collections.OrderedDict", []) => new OrderedDictionary<object, object?>(),
        ("torch.Size", [_]) when Longs(arguments[0]) is { } sizes => sizes.Select(size => (object?)size).ToArray(),
        ("torch.device", _) => null,
        ("torch.nn.parameter.Parameter" or "torch._utils._rebuild_parameter", [TorchView data, ..]) => data,
        ("torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2", [TorchStorage from, long offset, var shape, var strides, ..]) =>
            View(from, from.Element, offset, shape, strides),
        ("torch._utils._rebuild_tensor_v3", [TorchStorage from, long offset, var shape, var strides, _, _, TorchGlobal type, ..]) when TorchElement.OfType(type.Name) is { } element =>
            View(from, element, offset, shape, strides),
        ("torch.storage._load_from_bytes", [TorchBytes bytes]) => nested!(bytes),
        _ => throw Invalid($"calls {function} with {arguments.Length} arguments that it does not take."),
    };

    private TorchView View(TorchStorage from, TorchElement element, long offset, object? shape, object? strides)
    {
        if (Longs(shape) is not { } extents || Longs(strides) is not { } steps || extents.Length != steps.Length)
        {
            throw Invalid($"has a tensor without as many extents as strides, at most {MaxRank} of each.");
        }

        // The sums stop at the first beyond any file, so that nothing can wrap around.
        Int128 elements = 1;
        Int128 last = offset;
        for (int axis = 0; axis < extents.Length; axis++)
        {
            elements = extents[axis] is >= 0 and <= int.MaxValue && steps[axis] >= 0 && elements <= long.MaxValue ? elements * extents[axis] : -1;
            last += (Int128)Math.Max(0, extents[axis] - 1) * steps[axis];
            if (elements < 0)
            {
                break;
            }
        }

        Int128 held = (Int128)from.Count * from.Element.Size / element.Size;

        // More elements than the storage has are repetitions, with which a small file could ask for any amount of memory.
        return offset >= 0 && elements >= 0 && elements <= held && (elements == 0 || last < held)
            ? new(from, element, offset, extents, steps)
            : throw Invalid($"has a tensor of shape [{string.Join(", ", extents)}], strides [{string.Join(", ", steps)}] and offset {offset} "
                + $"in a storage of {held} elements: it lies beyond it, or repeats its elements.");
    }

    private void Set(object?[] pairs)
    {
        OrderedDictionary<object, object?> dictionary = Peek<OrderedDictionary<object, object?>>("a dictionary to add to");
        if (pairs.Length % 2 != 0)
        {
            throw Invalid("has a key without a value.");
        }

        for (int i = 0; i < pairs.Length; i += 2)
        {
            // Numbers beyond Int32 could be chosen to share one hash, and then take time without end.
            dictionary[pairs[i] is string or (long and >= int.MinValue and <= int.MaxValue) ? pairs[i]! : throw Invalid($"has {Kind(pairs[i])} as a key, expected texts or 4-byte integers.")] =
                pairs[i + 1];
        }
    }

    private void Build(object? state)
    {
        switch (Peek())
        {
            case TorchObject scripted:
                scripted.State = state;
                break;

            // The _metadata of a state dictionary: versions of modules.
            case OrderedDictionary<object, object?>:
                break;
            default:
                throw Invalid("sets the state of something that is no dictionary and no object of TorchScript.");
        }
    }

    private void PushBytes(long length)
    {
        if (length < 0 || length > end - Position)
        {
            throw Truncated(length);
        }

        Push(new TorchBytes(Position, length));
        Position += length;
    }

    private void Push(object? value) => _stack.Add(value);

    private int Floor => _marks.Count > 0 ? _marks[^1] : 0;

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Invalid("takes a value from an empty stack.");

    private T Peek<T>(string expected) => Peek() is T value ? value : throw Invalid($"has {Kind(Peek())} where {expected} is expected.");

    private object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private T Pop<T>(string expected) => Pop() is var value && value is T fitting ? fitting : throw Invalid($"has {Kind(value)} where {expected} is expected.");

    private object?[] PopToMark()
    {
        if (_marks.Count == 0)
        {
            throw Invalid("ends a tuple, list or dictionary that was not begun.");
        }

        int from = _marks[^1];
        object?[] values = [.. _stack[from..]];
        _stack.RemoveRange(from, values.Length);
        _marks.RemoveAt(_marks.Count - 1);
        return values;
    }

    private object? Recall(uint index) => _memo.TryGetValue(index, out object? value) ? value : throw Invalid($"refers to value {index}, which was not kept.");

    private string Text(long length) => length <= MaxText ? Encoding.UTF8.GetString(Bytes((int)length)) : throw Invalid($"has a text of {length} bytes, expected at most {MaxText}.");

    private string Line()
    {
        ReadOnlySpan<byte> rest = file.Slice(Position, (int)Math.Min(end - Position, 1024));
        int length = rest.IndexOf((byte)'\n');
        if (length < 0)
        {
            throw Invalid("has a name without an end.");
        }

        Position += length + 1;
        return Encoding.UTF8.GetString(rest[..length]);
    }

    private ReadOnlySpan<byte> Bytes(int length)
    {
        if (length > end - Position)
        {
            throw Truncated(length);
        }

        ReadOnlySpan<byte> bytes = file.Slice(Position, length);
        Position += length;
        return bytes;
    }

    private static string Kind(object? value) => value switch
    {
        null => "None",
        string => "a text",
        object?[] => "a tuple",
        List<object?> => "a list",
        OrderedDictionary<object, object?> => "a dictionary",
        TorchGlobal global => global.Name,
        TorchView => "a tensor",
        TorchStorage => "a storage",
        _ => value.GetType().Name,
    };

    private InvalidDataException Truncated(long length) => Invalid($"ends at byte {end}, expected {length} more bytes at {Position}. The file is truncated: fetch or make it again.");

    private InvalidDataException Invalid(string problem) => new($"{file.Path}: {what} {problem}");
}
