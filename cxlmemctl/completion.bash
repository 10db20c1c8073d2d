# SPDX-License-Identifier: GPL-2.0
# Completion of cxlmemctl's commands, options and devices for bash. Commands and
# options are taken from the tool's own help.
_cxlmemctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}

	if [ "$COMP_CWORD" = 1 ]; then
		COMPREPLY=($(compgen -W "$(cxlmemctl --help |
			sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$word"))
	elif [[ $word = -* ]]; then
		COMPREPLY=($(compgen -W "$(cxlmemctl "$command" --help |
			sed -n 's/^  .*\(--[a-z-]*\).*/\1/p')" -- "$word"))
	else
		COMPREPLY=($(compgen -W "$(cxlmemctl list -nro NAME 2>/dev/null) offline system driver cma" \
			-- "$word"))
	fi
}
complete -o default -F _cxlmemctl cxlmemctl
