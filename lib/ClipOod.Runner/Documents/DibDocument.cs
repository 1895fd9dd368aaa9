using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Documents;

namespace ClipOod.Runner.Documents;

/// <summary>One cell of a <c>.dib</c> document.</summary>
/// <param name="Kernel">Name of its kernel, never an alias.</param>
/// <param name="Source">Its text, lines separated by <c>\n</c>, without empty lines at either end.</param>
internal sealed record DibCell(string Kernel, string Source);

/// <summary>
/// A notebook in the <c>.dib</c> format of .NET Interactive. A line <c>#!name</c> at column 0 that is exactly a kernel's
/// name or alias starts a cell; the format has no escape for such a line inside a cell. The first line that starts with
/// <c>#!meta</c> opens JSON that runs to the next line that starts with <c>#!</c>.
/// </summary>
internal sealed class DibDocument : IEquatable<DibDocument>
{
    private const string Prefix = "#!";
    private const string MetaLine = "#!meta";

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A document of the given cells. Cells with nothing in them are dropped, as reading would drop them.</summary>
    /// <param name="cells">The cells, in order.</param>
    /// <param name="metadata">What stands under <c>#!meta</c>; null where there is none.</param>
    public DibDocument(IEnumerable<DibCell> cells, JsonObject? metadata = null)
    {
        Cells = [.. cells.Select(cell => cell with { Source = Trim(Lines(cell.Source)) }).Where(cell => cell.Source.Length > 0)];
        Metadata = metadata;
    }

    /// <summary>The cells, in order.</summary>
    public IReadOnlyList<DibCell> Cells { get; }

    /// <summary>What stands under <c>#!meta</c>; null where there is none.</summary>
    public JsonObject? Metadata { get; }

    /// <summary>Reads a file (UTF-8 with or without a byte order mark, either line ending).</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not UTF-8.</exception>
    /// <exception cref="DibFormatException">The metadata is malformed.</exception>
    /// <remarks>Not the engine's own reader of files: it decodes pieces of 4,096 bytes each alone, and so destroys characters.</remarks>
    public static DibDocument Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no notebook at {Path.GetFullPath(path)}. Check the path.", path);
        }

        try
        {
            return Parse(File.ReadAllText(path, _utf8), path);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{path} is not UTF-8: {e.Message} Save it as UTF-8.", e);
        }
    }

    /// <summary>Reads a document from its text.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="path">What errors call the text.</param>
    /// <exception cref="DibFormatException">The metadata is malformed.</exception>
    public static DibDocument Parse(string text, string path = "notebook.dib")
    {
        List<string> lines = [.. Lines(text)];
        KernelInfoCollection kernels = DibKernels.Known();
        JsonObject? metadata = null;
        int meta = lines.FindIndex(line => line.StartsWith(MetaLine, StringComparison.Ordinal));
        if (meta >= 0)
        {
            int first = meta + 1;
            int next = lines.FindIndex(first, line => line.StartsWith(Prefix, StringComparison.Ordinal));
            int end = next < 0 ? lines.Count : next;
            metadata = ParseMetadata(lines[first..end], first, path);
            if (AddDeclaredKernels(metadata, kernels) is string taken)
            {
                throw new DibFormatException(path, first + 1, $"the metadata under #!meta declares a kernel with the name or alias '{taken}', which another kernel has");
            }

            // What stands there is read; the engine would say less about what is wrong with it.
            lines.RemoveRange(first, end - first);
            lines.InsertRange(first, ["{}", ""]);
        }

        InteractiveDocument document = CodeSubmission.Parse(string.Join('\n', lines), kernels);
        return new DibDocument(document.Elements.Select(element => new DibCell(element.KernelName!, element.Contents)), metadata);
    }

    /// <summary>Writes the document as .NET Interactive does: each cell under its <c>#!name</c>, set off by empty lines.</summary>
    /// <param name="newLine">The line ending to write.</param>
    /// <exception cref="InvalidOperationException">A cell holds a line that would start another cell when read.</exception>
    public string ToText(string newLine = "\n")
    {
        KernelInfoCollection kernels = DibKernels.Known();
        var lines = new List<string>();
        if (Metadata is not null)
        {
            AddDeclaredKernels(Metadata, kernels);
            lines.AddRange([MetaLine, "", Metadata.ToJsonString(), ""]);
        }

        foreach ((DibCell cell, int index) in Cells.Select((cell, index) => (cell, index)))
        {
            string[] source = Lines(cell.Source);
            string? boundary = source.FirstOrDefault(line => line.StartsWith(Prefix, StringComparison.Ordinal)
                && (kernels.Contains(line[Prefix.Length..])
                    || (Metadata is null && line.StartsWith(MetaLine, StringComparison.Ordinal))));
            if (boundary is not null)
            {
                throw new InvalidOperationException(
                    $"Cell {index + 1} holds the line '{boundary}', which .dib would read as the start of another cell. Indent the line.");
            }

            lines.AddRange([Prefix + cell.Kernel, "", .. source, ""]);
        }

        return string.Join(newLine, lines);
    }

    /// <inheritdoc/>
    public bool Equals(DibDocument? other) =>
        other is not null && Cells.SequenceEqual(other.Cells) && JsonNode.DeepEquals(Metadata, other.Metadata);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DibDocument);

    /// <inheritdoc/>
    public override int GetHashCode() => Cells.Aggregate(0, HashCode.Combine);

    private static string[] Lines(string text) => text.Split(["\r\n", "\n"], StringSplitOptions.None);

    // Only lines with nothing in them go: a line of spaces is content, in .NET Interactive as here.
    private static string Trim(string[] lines)
    {
        int first = Array.FindIndex(lines, line => line.Length > 0);
        int last = Array.FindLastIndex(lines, line => line.Length > 0);
        return first < 0 ? "" : string.Join('\n', lines[first..(last + 1)]);
    }

    private static JsonObject ParseMetadata(List<string> lines, int linesBefore, string path)
    {
        try
        {
            return JsonNode.Parse(string.Join('\n', lines)) as JsonObject
                ?? throw new DibFormatException(path, linesBefore + 1, "the metadata under #!meta is not a JSON object");
        }
        catch (JsonException e)
        {
            int line = linesBefore + 1 + (int)Math.Min(e.LineNumber ?? 0, Math.Max(0, lines.Count - 1));
            throw new DibFormatException(path, line, $"the metadata under #!meta is not valid JSON: {e.Message}", e);
        }
    }

    // The shape that .NET Interactive writes: {"kernelInfo":{"items":[{"name":"csharp","aliases":["c#"]}]}}. As there, a
    // kernel that is known already keeps its aliases. Returns the first name or alias that another kernel has; null for none.
    private static string? AddDeclaredKernels(JsonObject metadata, KernelInfoCollection kernels)
    {
        if ((metadata["kernelInfo"] as JsonObject)?["items"] is not JsonArray items)
        {
            return null;
        }

        foreach (JsonObject item in items.OfType<JsonObject>())
        {
            if (item["name"] is JsonValue value && value.TryGetValue(out string? name) && kernels.All(kernel => kernel.Name != name))
            {
                string[] aliases = [.. (item["aliases"] as JsonArray ?? []).OfType<JsonValue>().Select(alias => alias.ToString()).Where(alias => alias != name).Distinct()];
                if (aliases.Prepend(name).FirstOrDefault(kernels.Contains) is string taken)
                {
                    return taken;
                }

                kernels.Add(new KernelInfo(name, null, aliases));
            }
        }

        return null;
    }
}

/// <summary>A <c>.dib</c> file that cannot be read.</summary>
internal sealed class DibFormatException : FormatException
{
    /// <summary>An error at a line of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="line">1-based line.</param>
    /// <param name="problem">What is wrong there.</param>
    /// <param name="inner">What found it.</param>
    public DibFormatException(string path, int line, string problem, Exception? inner = null)
        : base($"{path}({line}): {problem}. Expected one JSON object, such as {{\"kernelInfo\":{{\"defaultKernelName\":\"csharp\"}}}}, up to the next line that starts with #!.", inner)
    {
        Line = line;
    }

    /// <summary>1-based line in the file.</summary>
    public int Line { get; }
}
