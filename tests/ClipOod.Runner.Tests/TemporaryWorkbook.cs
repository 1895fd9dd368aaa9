using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Tests;

/// <summary>A folder of notebooks that is gone after the test.</summary>
internal sealed class TemporaryWorkbook : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("clipood-test-").FullName;

    public string Notebooks => Directory.CreateDirectory(Path.Combine(Root, "notebooks")).FullName;

    public string Expected => Path.Combine(Notebooks, "expected", "w");

    public string Add(string name, string dib)
    {
        string path = Path.Combine(Notebooks, name + ".dib");
        File.WriteAllText(path, dib);
        return path;
    }

    /// <summary>A notebook of C# cells.</summary>
    public string AddCells(string name, params string[] cells) => Add(name, string.Concat(cells.Select(cell => $"#!csharp\n\n{cell}\n\n")));

    public Task<WorkbookRun> RunAsync(RunOptions? options = null) =>
        Workbook.RunAsync(NotebookFile.Find(Notebooks), options ?? new RunOptions(), _ => { }, TestContext.Current.CancellationToken);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>What a library does to declare a result or to ask for a parameter.</summary>
internal static class HostCalls
{
    public const string Declare =
        """static void Declare(string name, double value, double tolerance) => ((Action<string>)AppDomain.CurrentDomain.GetData("workbook.result"))(FormattableString.Invariant($"{{\"name\":\"{name}\",\"value\":{value},\"tolerance\":{tolerance}}}"));""";

    public const string Ask =
        """static string Ask(string name) => ((Func<string, string>)AppDomain.CurrentDomain.GetData("workbook.parameter"))(name);""";
}
