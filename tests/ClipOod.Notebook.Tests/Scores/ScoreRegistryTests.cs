using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ClipOod.Notebook.Tests;

public sealed partial class ScoreRegistryTests
{
    private static readonly string _root = Root();

    [Fact]
    public void EveryScore_ExistsIsTaughtAndIsChecked()
    {
        string tests = string.Join('\n', Directory.EnumerateFiles(Path.Combine(_root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => file != ThisFile())
            .Select(File.ReadAllText));
        string[] failures = [.. ScoreRegistry.All.SelectMany(score =>
            new[] { Member(score), Notebook(score), GoldenValues(score, tests) }.OfType<string>().Select(failure => $"{score.Name}: {failure}"))];
        Assert.True(failures.Length == 0, $"{failures.Length} claims of the score registry do not hold:\n{string.Join('\n', failures)}");
    }

    [Fact]
    public void EveryScore_HasAKeyAndANameOfItsOwn()
    {
        Assert.Equal(ScoreRegistry.All.Count, ScoreRegistry.All.DistinctBy(score => score.Key).Count());
        Assert.Equal(ScoreRegistry.All.Count, ScoreRegistry.All.DistinctBy(score => score.Name).Count());
        Assert.All(ScoreRegistry.All, score => Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", score.Key));
    }

    [Fact]
    public void EveryScore_SaysWhereItComesFrom() => Assert.All(ScoreRegistry.All, score =>
    {
        Assert.Matches(@"^https://arxiv\.org/abs/\d{4}\.\d{5}$", score.Url.ToString());
        Assert.Matches(@"^[\w-]+/[\w-]+$", score.ReferenceCode);
        Assert.InRange(score.Year, 2000 + int.Parse(score.Url.Segments[^1][..2], null), 2030);
        Assert.DoesNotContain('\n', score.Equation);
        Assert.NotEqual(ScoreInputs.None, score.Needs);
        Assert.NotEmpty(score.Title);
    });

    [Fact]
    public void Families_GoWithWhatTheyNeed() => Assert.All(ScoreRegistry.All, score =>
    {
        Assert.Equal(score.Family == ScoreFamily.TestTimeAdaptive, score.Needs.HasFlag(ScoreInputs.Stream));
        if (score.Family == ScoreFamily.IdFeatures)
        {
            Assert.True(score.Needs.HasFlag(ScoreInputs.Features), score.Name);
        }
    });

    [Fact]
    public void EveryPublicScoreOfTheLibrary_IsInTheRegistry()
    {
        // Parts of a score, the same score of another class, and what is no score of images by itself.
        string[] others =
        [
            "GlMcm.Local", "NegRefine.MultiMatching", "ClipnLite.Ctw", "Odin.ScoreFeatures", "Plp.Energy", "Plp.MinShiftedL1",
            "IdScores.FromOodHigh", "IdScores.Select",
        ];
        string[] missing = [.. typeof(Scores).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(Scores).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.ReturnType == typeof(IdScores) && !method.IsSpecialName)
            .Where(method => !method.DeclaringType!.Name.EndsWith("Thresholds", StringComparison.Ordinal))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}")
            .Distinct()
            .Except(ScoreRegistry.All.Select(score => score.Member))
            .Except(others)];
        Assert.True(missing.Length == 0, $"These return scores and are not in the registry: {string.Join(", ", missing)}");
    }

    [Fact]
    public void Table_HasARowPerScore()
    {
        Assert.Equal(ScoreRegistry.All.Count, ScoreRegistry.ToTable().Rows);
        Assert.Contains("Scores.Mcm", ScoreRegistry.ToTable().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_HasAsManyCellsInEveryLine() => Assert.All(
        ScoreRegistry.ToMarkdown().TrimEnd('\n').Split('\n'), line => Assert.Equal(8, UnescapedBar().Count(line)));

    [Fact]
    public void Readme_ListsTheScores()
    {
        string expected = $"<!-- methods: kept equal to the registry by a test -->\n{ScoreRegistry.ToMarkdown()}<!-- end of methods -->\n";
        Assert.True(
            File.ReadAllText(Path.Combine(_root, "README.md")).ReplaceLineEndings("\n").Contains(expected, StringComparison.Ordinal),
            $"README.md does not list the scores as they are. It should hold:\n\n{expected}");
    }

    private static string? Member(ScoreInfo score)
    {
        string[] parts = score.Member.Split('.');
        Type? type = typeof(Scores).Assembly.GetExportedTypes().SingleOrDefault(t => t.Namespace == typeof(Scores).Namespace && t.Name == parts[0]);
        return parts.Length != 2 ? $"member '{score.Member}' is not of the form Type.Method"
            : type is null ? $"there is no public type {parts[0]}"
            : type.GetMethods().Any(method => method.Name == parts[1] && method.ReturnType == typeof(IdScores)) ? null
            : $"no public method {score.Member} returns {nameof(IdScores)}";
    }

    private static string? Notebook(ScoreInfo score)
    {
        string number = FormattableString.Invariant($"{score.Notebook:00}");
        if (Directory.GetFiles(Path.Combine(_root, "notebooks"), $"{number}-*.dib") is not [string file])
        {
            return $"there is no notebook {number}";
        }

        // An instance's method is named on the instance: the type, and the method after a point.
        string text = File.ReadAllText(file);
        string[] parts = score.Member.Split('.');
        return text.Contains(parts[0], StringComparison.Ordinal) && Regex.IsMatch(text, $@"\.{parts[^1]}\b")
            ? null
            : $"notebook {number} does not use {score.Member}";
    }

    private static string? GoldenValues(ScoreInfo score, string tests) =>
        score.Golden is null == score.WithoutGolden is null ? "it must name either golden values or the reason for having none"
            : score.Golden is null ? null
            : !Golden.Sections.Contains(score.Golden) ? $"GOLDEN.json has no section {score.Golden}"
            : tests.Contains($"\"{score.Golden}\"", StringComparison.Ordinal) ? null
            : $"no test names the golden section {score.Golden}";

    private static string ThisFile([CallerFilePath] string path = "") => Path.Combine(_root, "tests", "ClipOod.Notebook.Tests", "Scores", Path.GetFileName(path));

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ClipOod.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("No folder above the tests holds ClipOod.sln.");
    }

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex UnescapedBar();
}
