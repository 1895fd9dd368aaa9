using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SkiaSharp;

namespace ClipOod.Notebook;

/// <summary>Reads concepts from JSON: a file per set, an entry per concept; data/README.md describes the format.</summary>
internal static class ConceptFile
{
    /// <summary>Default width of an outline, in units of a drawing.</summary>
    public const double OutlineWidth = 4;

    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    private sealed record FileEntry(string Set, ConceptEntry[] Concepts);

    private sealed record ConceptEntry(
        string Name, DrawingEntry[] Drawings, string[]? Synonyms = null, string[]? Colors = null, string? Article = null, bool HeldOut = false);

    private sealed record DrawingEntry(PartEntry[] Parts, double[]? Tile = null);

    private sealed record PartEntry(string Role, string Path, double Width = OutlineWidth);

    /// <summary>Reads all concept files of a folder.</summary>
    /// <param name="folder">A folder of .json files.</param>
    /// <returns>The concepts, sorted by name.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or two concepts have one name; the message names the file, the concept and what is wrong.</exception>
    public static IReadOnlyList<Concept> LoadFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder of concepts at {Path.GetFullPath(folder)}.");
        }

        string[] files = [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal)];
        if (files.Length == 0)
        {
            throw new InvalidDataException($"{Path.GetFullPath(folder)} holds no .json file, expected concept files such as a.json.");
        }

        var names = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        List<Concept> concepts = [];
        foreach (string file in files)
        {
            foreach (Concept concept in Parse(File.ReadAllText(file), file))
            {
                foreach (string name in concept.Synonyms.Prepend(concept.Name))
                {
                    if (!names.TryAdd(name, file))
                    {
                        throw new InvalidDataException(
                            $"{file}: the name '{name}' of the concept '{concept.Name}' is taken in {names[name]}. Names and synonyms must be unique; rename one.");
                    }
                }

                concepts.Add(concept);
            }
        }

        return [.. concepts.OrderBy(concept => concept.Name, StringComparer.Ordinal)];
    }

    /// <summary>Reads the concepts of one file's text, such as a concept of your own.</summary>
    /// <param name="json">The text, as in the concept files.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <returns>The concepts, in their order.</returns>
    /// <exception cref="InvalidDataException">The text is malformed; the message says where and what to do.</exception>
    public static IReadOnlyList<Concept> Parse(string json, string source = "the text")
    {
        FileEntry? file;
        try
        {
            file = JsonSerializer.Deserialize<FileEntry>(json, _format);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{source}: not a concept file: {e.Message} data/README.md describes the format.", e);
        }

        return [.. (file?.Concepts ?? throw new InvalidDataException($"{source}: there is no concept in it."))
            .Select(entry => ToConcept(entry, file.Set, source))];
    }

    private static Concept ToConcept(ConceptEntry entry, string set, string source)
    {
        InvalidDataException Broken(string what) => new($"{source}: concept '{entry.Name}': {what}");
        if (string.IsNullOrWhiteSpace(entry.Name) || entry.Name != entry.Name.Trim() || entry.Name.Any(char.IsUpper))
        {
            throw Broken("a name is lower case, without spaces around it, and not empty.");
        }

        if (entry.Drawings.Length == 0)
        {
            throw Broken("there is no drawing, expected at least one.");
        }

        string[] colors = entry.Colors ?? [];
        if (colors.FirstOrDefault(color => !Palette.Contains(color)) is string unknown)
        {
            throw Broken($"there is no colour '{unknown}'. Colours: {string.Join(", ", Palette.Names)}.");
        }

        Drawing[] drawings = [.. entry.Drawings.Select((drawing, i) =>
            ToDrawing(drawing, what => Broken(string.Create(CultureInfo.InvariantCulture, $"drawing {i + 1}: {what}"))))];
        if (drawings.Any(drawing => drawing.Tile is null != drawings[0].Tile is null))
        {
            throw Broken("some drawings have a tile and some do not: a concept is a thing or a texture.");
        }

        string article = entry.Article ?? ("aeiou".Contains(entry.Name[0], StringComparison.Ordinal) ? "an" : "a");
        return new Concept(entry.Name, set, drawings, entry.Synonyms ?? [], colors, article, entry.HeldOut);
    }

    private static Drawing ToDrawing(DrawingEntry entry, Func<string, InvalidDataException> broken)
    {
        if (entry.Tile is not null && (entry.Tile.Length != 2 || entry.Tile.Any(side => side is not (> 0 and <= 100))))
        {
            throw broken($"the tile is [{string.Join(", ", entry.Tile)}], expected its width and height in units above 0 and at most 100.");
        }

        Part[] parts = [.. entry.Parts.Select(part => ToPart(part, broken))];
        if (entry.Tile is null && !parts.Any(part => part.Role == PartRole.Body))
        {
            throw broken("no part has the role body, expected at least one, which carries the silhouette.");
        }

        return new Drawing(parts, entry.Tile is [var width, var height] ? (width, height) : null);
    }

    private static Part ToPart(PartEntry entry, Func<string, InvalidDataException> broken)
    {
        if (!Enum.TryParse(entry.Role, ignoreCase: true, out PartRole role) || entry.Role.Any(char.IsUpper) || char.IsDigit(entry.Role[0]))
        {
            throw broken($"unknown role '{entry.Role}', expected one of {string.Join(", ", Enum.GetNames<PartRole>().Select(name => name.ToLowerInvariant()))}.");
        }

        if (entry.Width is not > 0)
        {
            throw broken(string.Create(CultureInfo.InvariantCulture, $"the width of an outline is {entry.Width}, expected more than 0."));
        }

        using SKPath? path = string.IsNullOrWhiteSpace(entry.Path) ? null : SKPath.ParseSvgPathData(entry.Path);
        return path is null || path.IsEmpty || !path.Bounds.IsFinite()
            ? throw broken($"the path of a part with the role {entry.Role} is no SVG path data: \"{entry.Path}\". Expected commands such as M, L, C, A and Z with numbers.")
            : new Part(role, entry.Path, entry.Width);
    }

    private static bool IsFinite(this SKRect rect) =>
        float.IsFinite(rect.Left) && float.IsFinite(rect.Top) && float.IsFinite(rect.Right) && float.IsFinite(rect.Bottom);
}
