# fish completion of ./fleet; load it with: ./fleet completion fish | source

function __fleet
    # The words before the cursor go back to ./fleet, which answers with candidates, one a line.
    set -l words (commandline -opc) (commandline -ct)
    $words[1] completion words -- $words[2..-1] 2>/dev/null
end
complete -c fleet -f -a '(__fleet)'
