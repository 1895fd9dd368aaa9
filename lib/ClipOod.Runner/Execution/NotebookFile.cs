using System.Text.RegularExpressions;
using ClipOod.Runner.Documents;

namespace ClipOod.Runner.Execution;

/// <summary>A notebook file and what its cells say about it.</summary>
internal sealed partial record NotebookFile
{
    private NotebookFile(string path, DibDocument document)
    {
        Path = path;
        Document = document;
        Id = System.IO.Path.GetFileNameWithoutExtension(path);
        string[] prose = [.. document.Cells.Where(cell => cell.Kernel == "markdown").Select(cell => cell.Source)];
        Title = prose.Select(text => Heading().Match(text)).FirstOrDefault(match => match.Success)?.Groups[1].Value.Trim() ?? Id;
        Question = prose.Select(text => Quote().Match(text)).FirstOrDefault(match => match.Success) is { } quote
            ? string.Join(' ', quote.Value.Split('\n').Select(line => line.TrimStart('>').Trim()).Where(line => line.Length > 0))
            : "";
        Worlds = prose.Select(text => WorldsLine().Match(text)).FirstOrDefault(match => match.Success) is { } line
            ? [.. Quoted().Matches(line.Value).Select(name => name.Groups[1].Value)]
            : [];
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    /// <summary>Its cells and metadata.</summary>
    public DibDocument Document { get; }

    /// <summary>File name without <c>.dib</c>.</summary>
    public string Id { get; }

    /// <summary>First <c># </c> heading of its markdown; the id where there is none.</summary>
    public string Title { get; }

    /// <summary>First block quote of its markdown, on one line; empty where there is none.</summary>
    public string Question { get; }

    /// <summary>
    /// The worlds that it runs in, as its markdown says in a line such as <c>**Worlds:** `pictograms`, `clip-features`</c>; empty where it
    /// says nothing, which means any.
    /// </summary>
    public IReadOnlyList<string> Worlds { get; }

    /// <summary>Whether it runs in a world.</summary>
    /// <param name="world">Name of the world.</param>
    public bool RunsIn(string world) => Worlds.Count == 0 || Worlds.Contains(world);

    /// <summary>The digits that the file name starts with, such as <c>03</c>; the id where it starts with none.</summary>
    public string Number => NumberOf(Path);

    /// <summary>Reads one notebook.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DibFormatException">The file is malformed.</exception>
    public static NotebookFile Load(string path) => new(System.IO.Path.GetFullPath(path), DibDocument.Load(path));

    /// <summary>Finds the notebooks of a folder, in the order of their names, and reads those that are asked for.</summary>
    /// <param name="folder">The folder; its subfolders are not looked into.</param>
    /// <param name="only">Numbers (<c>03</c> or <c>3</c>) or names of the notebooks to take; none for all.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">It holds no notebooks, or not one that is asked for.</exception>
    /// <exception cref="InvalidDataException">Two notebooks have the same number.</exception>
    /// <exception cref="DibFormatException">A file is malformed.</exception>
    public static IReadOnlyList<NotebookFile> Find(string folder, IReadOnlyCollection<string>? only = null)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder {System.IO.Path.GetFullPath(folder)} to take notebooks from. Check --notebooks.");
        }

        string[] paths = [.. Directory.GetFiles(folder, "*.dib").Order(StringComparer.Ordinal)];
        if (paths.Length == 0)
        {
            throw new FileNotFoundException($"The folder {System.IO.Path.GetFullPath(folder)} holds no .dib files. Check --notebooks.");
        }

        if (paths.GroupBy(NumberOf).FirstOrDefault(group => group.Count() > 1) is { } same)
        {
            throw new InvalidDataException(
                $"Several notebooks have the number {same.Key}: {string.Join(", ", same.Select(System.IO.Path.GetFileName))}. Give each its own: results are recorded by number.");
        }

        if (only is { Count: > 0 })
        {
            string[] unknown = [.. only.Where(name => !paths.Any(path => IsCalled(path, name)))];
            if (unknown.Length > 0)
            {
                string known = string.Join(", ", paths.Select(System.IO.Path.GetFileNameWithoutExtension));
                throw new FileNotFoundException($"There is no notebook '{unknown[0]}' in {System.IO.Path.GetFullPath(folder)}. Known notebooks: {known}.");
            }

            paths = [.. paths.Where(path => only.Any(name => IsCalled(path, name)))];
        }

        return [.. paths.Select(Load)];
    }

    /// <summary>
    /// Those notebooks of a folder that can be read, in the order of their names. One that someone is in the midst of
    /// writing must not stop the others; running it says what is wrong with it.
    /// </summary>
    /// <param name="folder">The folder; its subfolders are not looked into.</param>
    public static IEnumerable<NotebookFile> FindReadable(string folder)
    {
        foreach (string path in Directory.GetFiles(folder, "*.dib").Order(StringComparer.Ordinal))
        {
            NotebookFile? notebook = null;
            try
            {
                notebook = Load(path);
            }
            catch (DibFormatException)
            {
            }

            if (notebook is not null)
            {
                yield return notebook;
            }
        }
    }

    private static bool IsCalled(string path, string name)
    {
        string id = System.IO.Path.GetFileNameWithoutExtension(path);
        return id == name
            || id + ".dib" == name
            || (name.All(char.IsAsciiDigit) && name.TrimStart('0') == NumberOf(path).TrimStart('0'));
    }

    private static string NumberOf(string path)
    {
        string id = System.IO.Path.GetFileNameWithoutExtension(path);
        return LeadingDigits().Match(id) is { Success: true } match ? match.Value : id;
    }

    [GeneratedRegex(@"^# (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^> ?.*(\n>.*)*", RegexOptions.Multiline)]
    private static partial Regex Quote();

    [GeneratedRegex(@"^\*\*Worlds:\*\*.*$", RegexOptions.Multiline)]
    private static partial Regex WorldsLine();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex("^[0-9]+")]
    private static partial Regex LeadingDigits();
}
