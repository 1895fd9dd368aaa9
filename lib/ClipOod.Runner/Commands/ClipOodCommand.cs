using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Commands;

/// <summary>The command line of <c>clipood</c>.</summary>
internal static class ClipOodCommand
{
    private const string Examples = """

        Examples:
          clipood run                            run every notebook and write artifacts/site/index.html
          clipood run --only 03                  run one notebook
          clipood run --record                   accept the results of this run as the expected ones
          clipood run --only 02 --param seed=1   change what a notebook asks for
          clipood export 03 --to ipynb           run a notebook and save it with its outputs
          clipood export --for jupyter           save all notebooks as Jupyter opens and runs them
          clipood jupyter install                give Jupyter the kernel that runs them
          clipood train pictograms               train the tiny CLIP of the world pictograms anew (minutes)
          clipood list                           see which weights, data sets and features can be fetched
          clipood fetch clip-features            get features of real images, and run the notebooks on them too
          clipood encode --model M --data D      encode images and class names with a real CLIP model
          clipood merge FOLDER FOLDER            make one feature set of shards
          clipood detect --known K --new N       say which images of the folder N show no class of the folder K
          clipood evaluate scores.csv            measure scores of your own: every metric, in every convention
          clipood results --csv results.csv      save all recorded results in one file
          clipood doctor                         see whether everything that is needed is there

        In the repository's root the command is ./clipood, on Windows clipood (in PowerShell .\clipood); it builds itself when needed.
        Exit codes: 0 all passed, 1 a notebook or a download failed, 2 bad input, 130 cancelled.
        """;

    /// <summary>Runs the program.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="output">Receives what the program prints.</param>
    /// <param name="error">Receives its errors.</param>
    /// <param name="runner">Runs one notebook; null for a process of its own.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> InvokeAsync(string[] arguments, TextWriter output, TextWriter error, NotebookRunner? runner = null)
    {
        if (arguments is [NotebookProcess.WorkerCommandName])
        {
            return await Worker.RunAsync();
        }

        RootCommand root = Root(runner);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!, root);
        ParseResult parse = root.Parse(arguments);
        if (parse.Errors.Count > 0 && parse.Action is ParseErrorAction)
        {
            await error.WriteLineAsync(string.Join('\n', parse.Errors.Select(e => e.Message)));
            await error.WriteLineAsync("See clipood --help.");
            return ExitCodes.BadInput;
        }

        try
        {
            return await parse.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is CommandException or DibFormatException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(e.Message);
            return ExitCodes.BadInput;
        }
    }

    /// <summary>The commands and their options.</summary>
    /// <param name="runner">Runs one notebook; null for a process of its own.</param>
    internal static RootCommand Root(NotebookRunner? runner = null) => new("ClipOod: runs the notebooks on out-of-distribution detection with CLIP and shows what they give.")
    {
        new RunCommand(runner),
        new ExportCommand(runner),
        new JupyterCommand(),
        new TrainCommand(),
        new FetchCommand(),
        new ListCommand(),
        new VerifyCommand(),
        new EncodeCommand(),
        new MergeCommand(),
        new DetectCommand(),
        new EvaluateCommand(),
        new ResultsCommand(),
        new DoctorCommand(),
    };

    private sealed class HelpWithExamples(HelpAction help, RootCommand root) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int code = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command == root)
            {
                parseResult.InvocationConfiguration.Output.WriteLine(Examples);
            }

            return code;
        }
    }
}
