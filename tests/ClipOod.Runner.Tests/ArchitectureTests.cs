using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ClipOod.Runner.Tests;

/// <summary>The structure that docs/architecture.md describes, read from the project files and the sources.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string _lib = Path.Combine(Repository.Root, "lib");

    // A graph is its tensors and operators, and parameters hold values of the engine.
    private static readonly HashSet<string> _core = ["Graphs", "Operators", "Engine", "Running"];

    public static TheoryData<string> Libraries => [.. Directory.GetDirectories(_lib, "ClipOod.*").Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void ThePicture_IsThatOfTheProjectFiles()
    {
        IEnumerable<string> edges = Libraries.Select(row => row.Data).SelectMany(library =>
            XDocument.Load(Path.Combine(_lib, library, $"{library}.csproj")).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!))
                .Where(name => name.StartsWith("ClipOod.", StringComparison.Ordinal))
                .Select(name => $"{library} --> {name}".Replace("ClipOod.", "", StringComparison.Ordinal)));
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "architecture.md"));
        Assert.Equal(edges.Order(StringComparer.Ordinal), Arrow().Matches(page).Select(match => match.Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Libraries_AreAtMostFour() => Assert.InRange(Libraries.Count, 1, 4);

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Folders_DoNotNameEachOther_ButForTheGraphCore(string library)
    {
        Dictionary<string, CompilationUnitSyntax> files = Directory
            .EnumerateFiles(Path.Combine(_lib, library), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Path.Combine(_lib, library), file).Replace('\\', '/'))
            .Where(file => file.Contains('/', StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal) && !file.StartsWith("bin/", StringComparison.Ordinal))
            .ToDictionary(file => file, file => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(_lib, library, file))).GetCompilationUnitRoot());
        ILookup<string, string> homes = files
            .SelectMany(file => file.Value.DescendantNodes().OfType<BaseTypeDeclarationSyntax>().Where(type => type.Parent is BaseNamespaceDeclarationSyntax).Select(type => (type.Identifier.Text, Folder: FolderOf(file.Key))))
            .Distinct()
            .ToLookup(type => type.Text, type => type.Folder);
        HashSet<(string From, string To)> arrows = [.. files.SelectMany(file => NamesIn(file.Value)
            .SelectMany(name => homes[name].Contains(FolderOf(file.Key)) ? [] : homes[name])
            .Select(to => (FolderOf(file.Key), to)))];
        string[] both = [.. arrows
            .Where(arrow => string.CompareOrdinal(arrow.From, arrow.To) < 0 && arrows.Contains((arrow.To, arrow.From)))
            .Where(arrow => !(_core.Contains(arrow.From) && _core.Contains(arrow.To)))
            .Select(arrow => $"{arrow.From} and {arrow.To}")];
        Assert.True(both.Length == 0, $"These folders of {library} name each other: {string.Join("; ", both)}.");
    }

    // A member of the file's own types hides a type of the same name.
    private static IEnumerable<string> NamesIn(CompilationUnitSyntax file)
    {
        HashSet<string> members = [.. file.DescendantNodes().OfType<PropertyDeclarationSyntax>().Select(member => member.Identifier.Text),
            .. file.DescendantNodes().OfType<MethodDeclarationSyntax>().Select(member => member.Identifier.Text),
            .. file.DescendantNodes().OfType<ParameterSyntax>().Select(member => member.Identifier.Text)];
        return file.DescendantNodes().OfType<SimpleNameSyntax>()
            .Where(name => name.Parent is not MemberAccessExpressionSyntax access || access.Name != name)
            .Select(name => name.Identifier.Text)
            .Where(name => !members.Contains(name))
            .Distinct();
    }

    private static string FolderOf(string file) => file[..file.IndexOf('/', StringComparison.Ordinal)];

    [GeneratedRegex(@"\b\w+ --> \w+")]
    private static partial Regex Arrow();
}
