using System.Buffers.Binary;
using System.Text;

namespace ClipOod.Autodiff;

/// <summary>
/// The records of a zip file, as torch.save writes it: found through its central directory, in one top folder, apart from each other, and
/// stored as they are where they are to be read.
/// </summary>
/// <remarks>Format: PKWARE's APPNOTE 6.3, zip64 included.</remarks>
internal sealed class TorchZip
{
    private const uint LocalSignature = 0x04034B50;
    private const uint EntrySignature = 0x02014B50;
    private const uint EndSignature = 0x06054B50;
    private const uint End64Signature = 0x06064B50;
    private const uint Locator64Signature = 0x07064B50;
    private const int LocalLength = 30;
    private const int EntryLength = 46;
    private const int EndLength = 22;
    private const int End64Length = 56;
    private const int Locator64Length = 20;

    private readonly MappedFile _file;
    private readonly Dictionary<string, Record> _records = new(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">It is no such file, or its records lie beyond it or over each other.</exception>
    public TorchZip(MappedFile file)
    {
        _file = file;
        (ulong count, ulong start, ulong length) = ReadEnd();
        if (start > (ulong)file.Length || length > (ulong)file.Length - start || count > length / EntryLength)
        {
            throw Invalid($"says that its directory has {count} records in {length} bytes at {start}, which do not lie within its {file.Length} bytes. {Truncated}");
        }

        long at = (long)start;
        long end = (long)(start + length);
        List<(string Name, Record Record, long Header)> records = [];
        for (ulong i = 0; i < count; i++)
        {
            records.Add(ReadEntry(ref at, end, (long)start));
        }

        long covered = 0;
        foreach ((string name, Record record, long header) in records.OrderBy(r => r.Header))
        {
            if (header < covered)
            {
                throw Invalid($"has the record '{name}' at {header}, within another one.");
            }

            covered = record.Offset + record.Length;
        }

        string[] folders = [.. records.Select(r => r.Name.Split('/')[0]).Distinct()];
        if (folders.Length != 1)
        {
            throw Invalid($"has {folders.Length} top folders, expected one, as torch.save makes it: this is a zip file of something else.");
        }

        foreach ((string name, Record record, _) in records)
        {
            string within = name[Math.Min(name.Length, folders[0].Length + 1)..];
            if (within.Split('/').Contains("..") || !_records.TryAdd(within, record))
            {
                throw Invalid($"has the record '{name}' twice, or outside of its folder.");
            }
        }
    }

    private static string Truncated => "The file is truncated or no torch file: fetch or make it again.";

    /// <summary>Where a record's bytes lie; null where there is none of this name.</summary>
    /// <param name="name">The name within the top folder.</param>
    /// <exception cref="InvalidDataException">It is compressed or encrypted, which torch.save does not do.</exception>
    public (long Offset, long Length)? Find(string name) =>
        !_records.TryGetValue(name, out Record record) ? null
            : record.IsStored ? (record.Offset, record.Length)
            : throw Invalid($"has the record '{name}' compressed or encrypted, expected it stored, as torch.save writes it.");

    private (ulong Count, ulong Start, ulong Length) ReadEnd()
    {
        int tailLength = (int)Math.Min(_file.Length, EndLength + ushort.MaxValue);
        long tailStart = _file.Length - tailLength;
        ReadOnlySpan<byte> tail = _file.Slice(tailStart, tailLength);
        for (int at = tailLength - EndLength; at >= 0; at--)
        {
            ReadOnlySpan<byte> end = tail[at..];
            if (Int32(end, 0) != EndSignature || at + EndLength + Int16(end, 20) != tailLength)
            {
                continue;
            }

            long locator = tailStart + at - Locator64Length;
            return locator >= 0 && Int32(_file.Slice(locator, Locator64Length), 0) == Locator64Signature
                ? ReadEnd64(Int64(_file.Slice(locator, Locator64Length), 8))
                : ((ulong)Int16(end, 10), Int32(end, 16), Int32(end, 12));
        }

        throw Invalid($"begins as a zip file and has no directory at its end. {Truncated}");
    }

    private (ulong Count, ulong Start, ulong Length) ReadEnd64(ulong at)
    {
        if (at > (ulong)Math.Max(0, _file.Length - End64Length) || _file.Length < End64Length || Int32(_file.Slice((long)at, End64Length), 0) != End64Signature)
        {
            throw Invalid($"has no end of its directory at {at}, where it says that it is. {Truncated}");
        }

        ReadOnlySpan<byte> end = _file.Slice((long)at, End64Length);
        return (Int64(end, 32), Int64(end, 48), Int64(end, 40));
    }

    private (string Name, Record Record, long Header) ReadEntry(ref long at, long end, long limit)
    {
        if (end - at < EntryLength || Int32(_file.Slice(at, EntryLength), 0) != EntrySignature)
        {
            throw Invalid($"has no record at {at} of its directory, where it says that there is one. {Truncated}");
        }

        ReadOnlySpan<byte> entry = _file.Slice(at, EntryLength);
        (int nameLength, int extraLength, int commentLength) = (Int16(entry, 28), Int16(entry, 30), Int16(entry, 32));
        if (end - at < EntryLength + nameLength + extraLength + commentLength)
        {
            throw Invalid($"has a record at {at} that is longer than its directory. {Truncated}");
        }

        string name = Encoding.UTF8.GetString(_file.Slice(at + EntryLength, nameLength));
        ReadOnlySpan<byte> extra = _file.Slice(at + EntryLength + nameLength, extraLength);
        at += EntryLength + nameLength + extraLength + commentLength;

        // What does not fit into 32 bits stands in the zip64 field, in this order.
        ReadOnlySpan<byte> wide = Extra(extra, 1);
        ulong whole = Widen(Int32(entry, 24), ref wide, name);
        ulong packed = Widen(Int32(entry, 20), ref wide, name);
        ulong header = Widen(Int32(entry, 42), ref wide, name);
        if (header > (ulong)limit || limit - (long)header < LocalLength || Int32(_file.Slice((long)header, LocalLength), 0) != LocalSignature)
        {
            throw Invalid($"has no record '{name}' at {header}, where its directory says that it is. {Truncated}");
        }

        // Sizes there may be 0: they follow the data then, and stand in the directory.
        ReadOnlySpan<byte> local = _file.Slice((long)header, LocalLength);
        long data = (long)header + LocalLength + Int16(local, 26) + Int16(local, 28);
        if (data > limit || packed > (ulong)(limit - data))
        {
            throw Invalid($"has the record '{name}' of {packed} bytes at {data}, beyond the {limit} bytes before its directory. {Truncated}");
        }

        bool isStored = Int16(entry, 10) == 0 && (Int16(entry, 8) & 1) == 0 && packed == whole;
        return (name, new(data, (long)packed, isStored), (long)header);
    }

    private static ReadOnlySpan<byte> Extra(ReadOnlySpan<byte> fields, int id)
    {
        while (fields.Length >= 4 && Int16(fields, 2) <= fields.Length - 4)
        {
            int length = Int16(fields, 2);
            if (Int16(fields, 0) == id)
            {
                return fields.Slice(4, length);
            }

            fields = fields[(4 + length)..];
        }

        return [];
    }

    private ulong Widen(uint narrow, ref ReadOnlySpan<byte> wide, string name)
    {
        if (narrow != uint.MaxValue)
        {
            return narrow;
        }

        if (wide.Length < sizeof(ulong))
        {
            throw Invalid($"lacks the size or place of the record '{name}'.");
        }

        ulong value = Int64(wide, 0);
        wide = wide[sizeof(ulong)..];
        return value;
    }

    private static int Int16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint Int32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong Int64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private InvalidDataException Invalid(string problem) => new($"{_file.Path}: {problem}");

    private readonly record struct Record(long Offset, long Length, bool IsStored);
}
