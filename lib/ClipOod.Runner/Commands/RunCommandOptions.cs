using System.CommandLine;
using ClipOod.Notebook;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Commands;

/// <summary>The options that all commands share which run notebooks.</summary>
/// <param name="runner">Runs one notebook; null for a process of its own.</param>
internal sealed class RunCommandOptions(NotebookRunner? runner)
{
    private readonly Option<string> _notebooks = new("--notebooks")
    {
        Description = "Folder of the notebooks [default: notebooks/ of the repository]",
        HelpName = "FOLDER",
    };

    private readonly Option<string> _expected = new("--expected")
    {
        Description = "Folder of the recorded results [default: expected/ and the name of the world, in the folder of the notebooks]",
        HelpName = "FOLDER",
    };

    private readonly Option<string[]> _parameters = new("--param")
    {
        Description = "Set a parameter that a notebook asks for; may be repeated",
        HelpName = "NAME=VALUE",
    };

    private readonly Option<double> _cellTimeout = Seconds("--cell-timeout", "Longest time that a cell may take", new RunOptions().CellTimeout);

    private readonly Option<double> _timeout = Seconds("--timeout", "Longest time that a notebook may take", new RunOptions().NotebookTimeout);

    private readonly Option<int> _processes = BoundedOption.Of(
        "--processes", "N", "Notebooks that run at the same time, sharing the processors", new RunOptions().Processes, count => count >= 1, "at least 1");

    private readonly Option<string> _world = new("--world")
    {
        Description = $"World to run in [default: the environment's {World.WorldVariable}, or {World.Names[0]} and those that were fetched]: {string.Join(", ", World.Names)}",
        HelpName = "NAME",
    };

    private readonly Option<bool> _anyWorld = new("--no-world")
    {
        Description = "Run also where no world is found, for notebooks that need none",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _notebooks, _expected, _parameters, _cellTimeout, _timeout, _processes, _world, _anyWorld })
        {
            command.Options.Add(option);
        }
    }

    public string NotebooksFolder(ParseResult parse) =>
        parse.GetValue(_notebooks) ?? WorkbookFolders.Find("give --notebooks FOLDER").Notebooks;

    public string ExpectedFolder(ParseResult parse, string notebooks) =>
        parse.GetValue(_expected) ?? Path.Combine(notebooks, "expected", CurrentWorld.Name);

    /// <summary>The other worlds with recorded results, in the order of <see cref="World.Names"/>; none where --expected names a folder of one world.</summary>
    public IReadOnlyList<(string World, string Folder)> ExpectedElsewhere(ParseResult parse, string notebooks) => parse.GetValue(_expected) is not null
        ? []
        :
        [
            .. World.Names.Where(name => name != CurrentWorld.Name)
                .Select(name => (name, Path.Combine(notebooks, "expected", name)))
                .Where(world => Directory.Exists(world.Item2)),
        ];

    /// <summary>The worlds that are here, the default one first; none where the command line or the environment chooses one, or a folder of one world's results.</summary>
    public IReadOnlyList<string> WorldsHere(ParseResult parse) =>
        parse.GetValue(_world) is not null || parse.GetValue(_anyWorld) || parse.GetValue(_expected) is not null ? [] : CurrentWorld.Fetched;

    /// <summary>Chooses the world and opens it; call it before anything that depends on the world.</summary>
    /// <returns>The world; null where the notebooks are to run without one.</returns>
    public World? RequireWorld(ParseResult parse)
    {
        if (parse.GetValue(_world) is string world)
        {
            CurrentWorld.Choose(world);
        }

        return parse.GetValue(_anyWorld) ? null : CurrentWorld.Require();
    }

    public RunOptions Options(ParseResult parse) => new()
    {
        Runner = runner ?? NotebookProcess.RunAsync,
        Processes = parse.GetValue(_processes),
        CellTimeout = TimeSpan.FromSeconds(parse.GetValue(_cellTimeout)),
        NotebookTimeout = TimeSpan.FromSeconds(parse.GetValue(_timeout)),
        Parameters = Parameters(parse),
        World = parse.GetValue(_anyWorld) ? null : CurrentWorld.Name,
        CheckCell = cell => cell.Kernel == "markdown" ? MarkdownRenderer.Validate(cell.Source) : null,
    };

    public IReadOnlyDictionary<string, string> Parameters(ParseResult parse)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string text in parse.GetValue(_parameters) ?? [])
        {
            if (text.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new CommandException($"--param {text}: expected NAME=VALUE, such as --param seed=1.");
            }

            if (!parameters.TryAdd(name, value))
            {
                throw new CommandException($"--param {name} is given twice. Give it once.");
            }
        }

        return parameters;
    }

    /// <summary>Refuses a parameter that nobody wanted: it is misspelt. A notebook that failed may have asked later.</summary>
    /// <exception cref="CommandException">All notebooks passed, and none asked for a parameter that was given.</exception>
    public static void RequireParametersKnown(IReadOnlyDictionary<string, string> given, WorkbookRun run)
    {
        string[] unknown = [.. given.Keys.Where(name => !run.ParametersAsked.Contains(name)).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0 && run.Runs.All(notebook => notebook.State == RunState.Passed))
        {
            string known = run.ParametersAsked.Count > 0 ? string.Join(", ", run.ParametersAsked) : "none";
            throw new CommandException($"No notebook of this run asked for the parameter '{unknown[0]}'. Parameters asked for: {known}.");
        }
    }

    private static Option<double> Seconds(string name, string description, TimeSpan fallback) => BoundedOption.Of(
        name, "SECONDS", description, fallback.TotalSeconds, seconds => seconds is > 0 and < 1e6, "a number of seconds above 0 and below 1000000");
}
